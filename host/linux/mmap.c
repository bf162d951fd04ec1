// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory in the daemon's address space: offset in the file = machine
 * address. Frames are mapped one by one as they are touched, as ordinary
 * refcounted pages, so that O_DIRECT and registered buffers work on them.
 */
#include <linux/mm.h>
#include <linux/fs.h>
#include "port.h"

/* The page enters the page table here, under the lock that colinux_unmap() waits
 * for, and not by the caller after our return. */
static vm_fault_t guest_fault(struct vm_fault *vmf)
{
	struct linux_file *file = to_linux(vmf->vma->vm_file->private_data);
	u64 pa = (u64)vmf->pgoff << PAGE_SHIFT;
	vm_fault_t result = VM_FAULT_SIGBUS;

	down_read(&file->faults);
	if (co_memory_has(&file->core.vm->memory, pa, PAGE_SIZE))
		result = vmf_insert_page(vmf->vma, vmf->address,
					 pfn_to_page(vmf->pgoff));
	up_read(&file->faults);
	return result;
}

void colinux_unmap(struct linux_file *file, u64 start, u64 size)
{
	/* Faults that began before are through, those that come are refused. */
	down_write(&file->faults);
	up_write(&file->faults);
	unmap_mapping_range(file->mapping, start, size, 1);
}

static const struct vm_operations_struct guest_vm_ops = {
	.fault = guest_fault,
};

int colinux_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct co_file *cf = file->private_data;
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 end = start + (vma->vm_end - vma->vm_start);
	/* Written once, by VM_CREATE. */
	struct co_vm *vm = smp_load_acquire(&cf->vm);

	if (!vm)
		return -ENXIO;
	if (!(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;
	if (start < vm->memory.lowest || end > vm->memory.highest ||
	    end <= start)
		return -EINVAL;
	vm_flags_clear(vma, VM_MAYEXEC);
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &guest_vm_ops;
	return 0;
}
