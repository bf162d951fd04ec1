// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory in the daemon's address space: offset in the file = machine
 * address. Frames are mapped one by one as they are touched, as ordinary
 * refcounted pages, so that O_DIRECT and registered buffers work on them.
 */
#include <linux/mm.h>
#include <linux/fs.h>
#include "port.h"

static vm_fault_t guest_fault(struct vm_fault *vmf)
{
	struct co_file *cf = vmf->vma->vm_file->private_data;
	struct page *page;

	/* The chunk list is fixed from VM_CREATE on. */
	if (!co_memory_at(&cf->vm->memory, (u64)vmf->pgoff << PAGE_SHIFT,
			  PAGE_SIZE))
		return VM_FAULT_SIGBUS;
	page = pfn_to_page(vmf->pgoff);
	get_page(page);
	vmf->page = page;
	return 0;
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
	vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &guest_vm_ops;
	return 0;
}
