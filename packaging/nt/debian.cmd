@echo off
rem SPDX-License-Identifier: GPL-2.0
rem At the console of the VM "debian": the one that runs, or a new one.
set "CONFIG=%ProgramData%\coLinux\debian.conf"
if not exist "%CONFIG%" (
	echo There is no %CONFIG% yet.
	echo "%~dp0README.txt" tells how to get a Debian.
	pause
	exit /b 1
)
"%~dp0colinux.exe" attach debian 2>nul || "%~dp0colinux.exe" run "@%CONFIG%"
if errorlevel 1 pause
