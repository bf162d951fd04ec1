// SPDX-License-Identifier: GPL-2.0
/*
 * The passage: page tables of a vCPU's own, which map
 *
 *  - the host's switch text at the host's address,
 *  - the guest's switch text at the guest's address,
 *  - the host's passage page at the host's address,
 *  - the guest's passage page at the guest's direct-map address,
 *  - the main chunk at its physical address, for the kernel's first steps: only
 *    vCPU 0's; the others arrive with a state that the guest has written.
 *
 * 4 or 5 levels as the host runs: LA57 can't change in long mode. All entries
 * are for ring 0, without the global bit. Tables and the host's page lie outside
 * guest memory, so that no stray store of the guest reaches them.
 */
#include "x86.h"
#include "asm.h"

#define PTE_PRESENT 0x001
#define PTE_WRITE   0x002
#define PTE_ACCESSED 0x020
#define PTE_DIRTY   0x040
#define PTE_LARGE   0x080
#define PTE_FLAGS   (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)
#define PTE_ADDRESS 0x000ffffffffff000ULL

#define LEVEL_SHIFT(level) (CO_PAGE_SHIFT + 9 * (level))

/* SDM vol. 3A, 3.4.5: flat 64-bit code and data, accessed, ring 0. */
#define GDT_CODE 0x00af9b000000ffffULL
#define GDT_DATA 0x00cf93000000ffffULL
#define SELECTOR_CODE 0x10 /* Linux' __KERNEL_CS, NT's KGDT64_R0_CODE */
#define SELECTOR_DATA 0x18

static int table_new(struct co_passage *p)
{
	if (p->tables == CO_PASSAGE_PAGES)
		return -CO_ENOMEM;
	p->table[p->tables] = host_page_alloc(&p->table_pa[p->tables]);
	if (!p->table[p->tables])
		return -CO_ENOMEM;
	return (int)p->tables++;
}

/* The table behind an entry: only tables of this passage are ever entered. */
static co_u64 *table_at(struct co_passage *p, co_u64 pa)
{
	co_u32 i;

	for (i = 0; i < p->tables; i++)
		if (p->table_pa[i] == pa)
			return p->table[i];
	return NULL;
}

static int step_down(struct co_passage *p, co_u64 *entry, co_u64 **table)
{
	int n;

	if (!(*entry & PTE_PRESENT)) {
		n = table_new(p);
		if (n < 0)
			return n;
		*entry = p->table_pa[n] | PTE_FLAGS;
	}
	if (*entry & PTE_LARGE)
		return -CO_EEXIST;
	*table = table_at(p, *entry & PTE_ADDRESS);
	return *table ? 0 : -CO_EEXIST;
}

/* Maps one page of 4 KiB (leaf 0) or 2 MiB (leaf 1). */
static int map_one(struct co_passage *p, co_u64 va, co_u64 pa, int leaf)
{
	int level = co_cpu_la57() ? 4 : 3, err;
	co_u64 *table = p->table[0], *entry;
	co_u64 want = pa | PTE_FLAGS | (leaf ? PTE_LARGE : 0);

	for (;; level--) {
		entry = &table[(va >> LEVEL_SHIFT(level)) & 511];
		if (level == leaf)
			break;
		err = step_down(p, entry, &table);
		if (err)
			return err;
	}
	if (*entry && *entry != want)
		return -CO_EEXIST;
	*entry = want;
	return 0;
}

/* The image lies at the chunk's start, and is all that startup_64 touches before
 * it has page tables of its own; a chunk may be larger than our tables. */
#define IDENTITY_MAX (1ULL << 30)

static int map_identity(struct co_passage *p, const struct co_chunk *chunk)
{
	co_u64 pa, size = CO_MIN(chunk->size, IDENTITY_MAX);
	int err;

	for (pa = chunk->address; pa < chunk->address + size;
	     pa += CO_LARGE_PAGE) {
		err = map_one(p, pa, pa, 1);
		if (err)
			return err;
	}
	return 0;
}

static int map_host_text(struct co_passage *p)
{
	const char *page;
	co_u64 pa;
	int err;

	for (page = co_passage_text_start; page < co_passage_text_end;
	     page += CO_PAGE_SIZE) {
		pa = host_va_to_pa(page);
		if (!pa)
			return -CO_EFAULT;
		err = map_one(p, (co_uptr)page, pa, 0);
		if (err)
			return err;
	}
	return 0;
}

static int map_guest_text(struct co_passage *p, const struct co_image *image)
{
	co_u64 at, size = image->note.passage_end - image->note.passage_start;
	int err;

	for (at = 0; at < size; at += CO_PAGE_SIZE) {
		err = map_one(p, image->note.passage_start + at,
			      image->passage_pa + at, 0);
		if (err)
			return err;
	}
	return 0;
}

static co_u64 guest_page_pa(const struct co_vcpu *vcpu)
{
	return vcpu->vm->image.areas +
	       vcpu->index * sizeof(struct co_vcpu_area);
}

static co_u64 guest_page_va(const struct co_vcpu *vcpu)
{
	const struct co_guest_note *note = &vcpu->vm->image.note;

	return (co_cpu_la57() ? note->direct_map5 : note->direct_map4) +
	       guest_page_pa(vcpu);
}

static void gate_set(co_u64 gate[2], co_u64 target)
{
	/* SDM vol. 3A, 6.14.1: present interrupt gate (0x8e), no IST. */
	gate[0] = (target & 0xffff) | (co_u64)SELECTOR_CODE << 16 |
		  0x8eULL << 40 | (target >> 16 & 0xffff) << 48;
	gate[1] = target >> 32;
}

/* One side's gate targets. */
struct stubs {
	co_u64 nmi, mce, fault;
};

/* Scratch tables of one side; `va` is where that side sees the page. */
static void scratch_fill(struct co_passage_page *page, co_u64 va,
			 const struct stubs *stubs)
{
	page->scratch_gdt[SELECTOR_CODE / 8] = GDT_CODE;
	page->scratch_gdt[SELECTOR_DATA / 8] = GDT_DATA;
	gate_set(page->scratch_idt[CO_VECTOR_NMI], stubs->nmi);
	gate_set(page->scratch_idt[CO_VECTOR_MCE], stubs->mce);
	gate_set(page->scratch_idt[CO_VECTOR_NP], stubs->fault);
	gate_set(page->scratch_idt[CO_VECTOR_GP], stubs->fault);
	gate_set(page->scratch_idt[CO_VECTOR_PF], stubs->fault);
	page->scratch_gdt_ptr.limit = sizeof(page->scratch_gdt) - 1;
	page->scratch_gdt_ptr.base =
		va + __builtin_offsetof(struct co_passage_page, scratch_gdt);
	page->scratch_idt_ptr.limit = sizeof(page->scratch_idt) - 1;
	page->scratch_idt_ptr.base =
		va + __builtin_offsetof(struct co_passage_page, scratch_idt);
}

static void pages_fill(struct co_vcpu *vcpu)
{
	const struct co_image *image = &vcpu->vm->image;
	struct co_passage_page *host = vcpu->passage.host;
	struct co_passage_page *guest = vcpu->passage.guest;
	const struct stubs ours = { (co_uptr)co_host_nmi_stub,
				    (co_uptr)co_host_mce_stub,
				    (co_uptr)co_host_fault_stub };
	const struct stubs guests = { image->note.nmi_stub, image->note.mce_stub,
				      image->note.fault_stub };

	scratch_fill(host, (co_uptr)host, &ours);
	host->passage_cr3 = vcpu->passage.cr3;
	/* The first entry goes to the kernel's own start; run.c redirects it to
	 * co_arrive once the guest has saved a state to arrive with. */
	host->peer_entry = image->entry;
	host->peer_arg2 = image->boot_params;

	scratch_fill(guest, guest_page_va(vcpu), &guests);
	guest->passage_cr3 = vcpu->passage.cr3;
	guest->peer_entry = (co_uptr)co_host_arrive;
	guest->peer_arg = (co_uptr)host;
}

/* The entry that maps the large page at `va`; its tables are there. */
static co_u64 *large_entry(struct co_passage *p, co_u64 va)
{
	co_u64 *table = p->table[0];
	int level;

	for (level = co_cpu_la57() ? 4 : 3; level > 1; level--)
		table = table_at(p, table[(va >> LEVEL_SHIFT(level)) & 511] &
					    PTE_ADDRESS);
	return &table[(va >> LEVEL_SHIFT(1)) & 511];
}

/* The first steps are done. Blocks of the main chunk may go back to the host: no
 * table of ours shows them any more. */
static void unmap_identity(struct co_vcpu *vcpu)
{
	const struct co_memory *mem = &vcpu->vm->memory;
	const struct co_chunk *main = &mem->chunk[mem->main];
	co_u64 pa, size = CO_MIN(main->size, IDENTITY_MAX);

	for (pa = main->address; pa < main->address + size;
	     pa += CO_LARGE_PAGE)
		*large_entry(&vcpu->passage, pa) = 0;
}

void co_passage_redirect(struct co_vcpu *vcpu)
{
	if (!vcpu->index)
		unmap_identity(vcpu);
	vcpu->passage.host->peer_entry = vcpu->vm->image.note.arrive;
	vcpu->passage.host->peer_arg = guest_page_va(vcpu);
	vcpu->passage.host->peer_arg2 = 0;
}

static int map_all(struct co_vcpu *vcpu, co_u64 host_pa)
{
	const struct co_memory *mem = &vcpu->vm->memory;
	struct co_passage *p = &vcpu->passage;
	int err = map_host_text(p);

	if (!err)
		err = map_guest_text(p, &vcpu->vm->image);
	if (!err)
		err = map_one(p, (co_uptr)p->host, host_pa, 0);
	if (!err)
		err = map_one(p, guest_page_va(vcpu), guest_page_pa(vcpu), 0);
	if (!err && !vcpu->index)
		err = map_identity(p, &mem->chunk[mem->main]);
	return err;
}

int co_passage_build(struct co_vcpu *vcpu)
{
	struct co_passage *p = &vcpu->passage;
	co_u64 host_pa;
	int err;

	p->guest = &vcpu->area->passage;
	p->host = host_page_alloc(&host_pa);
	err = p->host ? table_new(p) : -CO_ENOMEM;
	if (err < 0)
		goto fail;
	p->cr3 = p->table_pa[0];
	err = map_all(vcpu, host_pa);
	if (err)
		goto fail;
	pages_fill(vcpu);
	if (vcpu->index) {
		vcpu->entered = true;
		co_passage_redirect(vcpu);
	}
	return 0;
fail:
	co_passage_free(p);
	return err;
}

void co_passage_free(struct co_passage *p)
{
	while (p->tables)
		host_page_free(p->table[--p->tables]);
	if (p->host)
		host_page_free(p->host);
	p->host = NULL;
	p->cr3 = 0;
}
