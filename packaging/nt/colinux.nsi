; SPDX-License-Identifier: GPL-2.0
; The installer for Windows x64. Made by packaging/nt/installer, which gives
;	VERSION	as of the file VERSION, and VERSION4 with four parts
;	FOLDER	all that is installed, in its places
;	LISTS	folder with install.nsh and remove.nsh: each file in FOLDER by name
;	SIGN	a command that signs the file behind it (none: not signed)
;	OUTPUT	the installer
;
;	colinux-setup.exe /S [/D=FOLDER]	silent; the driver that can't be started yet
;						is no failure
;	uninstall.exe /S [/DATA]		silent; /DATA: images and configurations, too
;
; Exit codes: 0; 1 the user gave up; 2 it can't be done, nothing was changed.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
SetDateSave on ; the times of FOLDER, which are all the same
CRCCheck on
RequestExecutionLevel admin
ManifestSupportedOS all
Name "Cooperative Linux"
OutFile "${OUTPUT}"
InstallDir "$PROGRAMFILES64\coLinux"
InstallDirRegKey HKLM "Software\coLinux" "Folder"
ShowInstDetails show
ShowUninstDetails show

!ifdef SIGN
!uninstfinalize '${SIGN} "%1"'
!endif

!include LogicLib.nsh
!include WinVer.nsh
!include x64.nsh
!include FileFunc.nsh

VIProductVersion "${VERSION4}"
VIAddVersionKey ProductName "Cooperative Linux"
VIAddVersionKey FileDescription "Cooperative Linux setup"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey LegalCopyright "GPL-2.0"

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\coLinux"
!define MENU "$SMPROGRAMS\coLinux"
!define DATA "$ProgramData\coLinux"
!define FRAGMENTS "$ProgramData\Microsoft\Windows Terminal\Fragments"

LicenseData "${FOLDER}/COPYING.txt"
Page license
Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Var ProgramData
Var WithData

; What both halves begin with.
!macro Begin
	SetShellVarContext all
	SetRegView 64
	ReadEnvStr $ProgramData ALLUSERSPROFILE
!macroend

!macro Fail TEXT
	MessageBox MB_OK|MB_ICONSTOP "${TEXT}" /SD IDOK
	SetErrorLevel 2
	Quit
!macroend

; Runs the helper, and tells of what it can't do.
!macro Helper ARGUMENTS
	ExecWait '"$INSTDIR\setup-helper.exe" ${ARGUMENTS}' $0
	${If} $0 <> 0
		DetailPrint `setup-helper ${ARGUMENTS}: error $0`
	${EndIf}
!macroend

Function .onInit
	!insertmacro Begin
	${IfNot} ${RunningX64}
		!insertmacro Fail "This is for Windows x64."
	${EndIf}
	${IfNot} ${AtLeastWin7}
		!insertmacro Fail "This needs Windows 7 or later."
	${EndIf}
FunctionEnd

; The driver in use can't be replaced: an older one goes before anything is written.
Function StopOld
	IfFileExists "$INSTDIR\colinux-daemon.exe" 0 done
	DetailPrint "Stopping the driver of the installed version"
	nsExec::ExecToLog '"$INSTDIR\colinux-daemon.exe" --remove-driver'
	Pop $0
	StrCmp $0 0 done
	!insertmacro Fail "The driver of the installed version can't be stopped: end all VMs (colinux list), then try again."
done:
FunctionEnd

Section "-all"
	Call StopOld
	!include "${LISTS}/install.nsh"
	WriteUninstaller "$INSTDIR\uninstall.exe"

	WriteRegStr HKLM "Software\coLinux" "Folder" "$INSTDIR"
	WriteRegStr HKLM "${UNINSTALL}" "DisplayName" "Cooperative Linux"
	WriteRegStr HKLM "${UNINSTALL}" "DisplayVersion" "${VERSION}"
	WriteRegStr HKLM "${UNINSTALL}" "DisplayIcon" "$INSTDIR\colinux.exe"
	WriteRegStr HKLM "${UNINSTALL}" "InstallLocation" "$INSTDIR"
	WriteRegStr HKLM "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
	WriteRegStr HKLM "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
	WriteRegDWORD HKLM "${UNINSTALL}" "NoModify" 1
	WriteRegDWORD HKLM "${UNINSTALL}" "NoRepair" 1
	${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
	WriteRegDWORD HKLM "${UNINSTALL}" "EstimatedSize" $0

	!insertmacro Helper 'private "${DATA}"'
	!insertmacro Helper 'path add "$INSTDIR"'
	CreateDirectory "${FRAGMENTS}\coLinux"
	!insertmacro Helper 'fragment "${FRAGMENTS}\coLinux\colinux.json" "$INSTDIR" "${DATA}"'

	CreateDirectory "${MENU}"
	SetOutPath "${DATA}" ; where the shortcuts begin
	CreateShortcut "${MENU}\Debian (coLinux).lnk" "$INSTDIR\debian.cmd"
	CreateShortcut "${MENU}\coLinux prompt.lnk" "$SYSDIR\cmd.exe" '/k set "PATH=$INSTDIR;%PATH%"'
	CreateShortcut "${MENU}\Can this computer run coLinux.lnk" "$SYSDIR\cmd.exe" '/k ""$INSTDIR\colinux.exe" doctor"'
	CreateShortcut "${MENU}\Read me.lnk" "$INSTDIR\README.txt"
	CreateShortcut "${MENU}\Uninstall coLinux.lnk" "$INSTDIR\uninstall.exe"
	!insertmacro Helper 'elevate "${MENU}\Debian (coLinux).lnk"'
	!insertmacro Helper 'elevate "${MENU}\coLinux prompt.lnk"'
	!insertmacro Helper 'elevate "${MENU}\Can this computer run coLinux.lnk"'

	DetailPrint "Installing the driver"
	nsExec::ExecToLog '"$INSTDIR\colinux-daemon.exe" --install-driver'
	Pop $0
	${If} $0 <> 0
		DetailPrint "The driver doesn't run yet. colinux doctor tells what to do."
		MessageBox MB_OK|MB_ICONINFORMATION "coLinux is installed, but its driver doesn't run yet. The reason is in the details. $\"Can this computer run coLinux$\" in the Start menu tells what to do." /SD IDOK
	${EndIf}
SectionEnd

Function un.onInit
	!insertmacro Begin
	StrCpy $WithData 0
	${GetParameters} $0
	ClearErrors
	${GetOptions} $0 "/DATA" $1
	${IfNot} ${Errors}
		StrCpy $WithData 1
	${EndIf}
FunctionEnd

; The question comes only where there is something to lose.
Function un.AskForData
	${If} ${Silent}
	${OrIf} $WithData = 1
		Return
	${EndIf}
	${DirState} "${DATA}" $0
	${If} $0 = 1
		MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "Delete disk images and configurations in ${DATA}, too? They can't be brought back." IDNO keep
		StrCpy $WithData 1
	${EndIf}
keep:
FunctionEnd

Section "Uninstall"
	DetailPrint "Stopping VMs, removing services and driver"
	nsExec::ExecToLog '"$INSTDIR\colinux-daemon.exe" --remove-all'
	Pop $0
	${If} $0 <> 0
		!insertmacro Fail "A VM or the driver can't be stopped, so nothing was removed: end all VMs (colinux list), then try again."
	${EndIf}
	Call un.AskForData
	!insertmacro Helper 'path remove "$INSTDIR"'

	Delete "${MENU}\Debian (coLinux).lnk"
	Delete "${MENU}\coLinux prompt.lnk"
	Delete "${MENU}\Can this computer run coLinux.lnk"
	Delete "${MENU}\Read me.lnk"
	Delete "${MENU}\Uninstall coLinux.lnk"
	RMDir "${MENU}"
	Delete "${FRAGMENTS}\coLinux\colinux.json"
	RMDir "${FRAGMENTS}\coLinux"
	RMDir "${FRAGMENTS}" ; these two only if there is nothing else in them
	RMDir "$ProgramData\Microsoft\Windows Terminal"
	DeleteRegKey HKLM "${UNINSTALL}"
	DeleteRegKey HKLM "Software\coLinux"

	${If} $WithData = 1
		RMDir /r "${DATA}"
	${EndIf}
	RMDir "${DATA}"
	Delete "$INSTDIR\log\*.log"
	RMDir "$INSTDIR\log"
	!include "${LISTS}/remove.nsh"
	Delete "$INSTDIR\uninstall.exe"
	SetOutPath "$TEMP" ; a folder that we stand in can't go
	RMDir "$INSTDIR"
SectionEnd
