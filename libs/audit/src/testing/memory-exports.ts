import { BUNDLE_PARTS, tarEnd, tarHeader, tarPadding } from '#evidence';
import type { Export, ExportPlan, ExportProgress, ExportStore, NewExport } from '../exports.js';
import type { BundleFile, BundleFiles } from '../run-export.js';

export class MemoryExportStore implements ExportStore {
  private readonly rows = new Map<string, Export>();
  covered = true;

  add(request: NewExport): Promise<void> {
    const empty = { plan: undefined, file: undefined, problem: undefined, nextIndex: 0n, entriesBytes: 0n, included: 0n };
    this.rows.set(request.id, { ...request, ...empty, state: 'REQUESTED' });
    return Promise.resolve();
  }

  find(id: string): Promise<Export | undefined> {
    return Promise.resolve(this.rows.get(id));
  }

  list(countMax: number): Promise<Export[]> {
    return Promise.resolve([...this.rows.values()].reverse().slice(0, countMax));
  }

  outstanding(): Promise<string[]> {
    const open = [...this.rows.values()].filter(({ state }) => state === 'REQUESTED' || state === 'RUNNING');
    return Promise.resolve(open.map(({ id }) => id));
  }

  isCovered(): Promise<boolean> {
    return Promise.resolve(this.covered);
  }

  begin(id: string, plan: ExportPlan): Promise<Export> {
    if (!this.rows.get(id)!.plan) this.change(id, { plan, nextIndex: plan.start, state: 'RUNNING' });
    return Promise.resolve(this.rows.get(id)!);
  }

  saveProgress(id: string, progress: ExportProgress): Promise<void> {
    if (this.rows.get(id)!.nextIndex < progress.nextIndex) this.change(id, progress);
    return Promise.resolve();
  }

  restart(id: string): Promise<Export> {
    this.change(id, { nextIndex: this.rows.get(id)!.plan!.start, entriesBytes: 0n, included: 0n });
    return Promise.resolve(this.rows.get(id)!);
  }

  finish(id: string, file: string): Promise<void> {
    this.change(id, { file, state: 'DONE' });
    return Promise.resolve();
  }

  fail(id: string, problem: string): Promise<void> {
    this.change(id, { problem, state: 'FAILED' });
    return Promise.resolve();
  }

  private change(id: string, change: Partial<Export>): void {
    this.rows.set(id, { ...this.rows.get(id)!, ...change });
  }
}

/** Bundles in memory; what was written before a crash stays. */
export class MemoryBundleFiles implements BundleFiles {
  readonly bundles = new Map<string, Uint8Array>();
  private readonly drafts = new Map<string, { leaves: Buffer; lines: Buffer }>();

  open(id: string, leavesBytes: number): Promise<BundleFile> {
    const isFresh = !this.drafts.has(id);
    const draft = this.drafts.get(id) ?? { leaves: Buffer.alloc(leavesBytes), lines: Buffer.alloc(0) };
    this.drafts.set(id, draft);
    return Promise.resolve({
      isFresh,
      writeLeaves: (offset, bytes) => Promise.resolve(void draft.leaves.set(bytes, offset)),
      writeLines: (offset, bytes) => {
        draft.lines = Buffer.concat([draft.lines.subarray(0, offset), bytes]);
        return Promise.resolve();
      },
      sync: () => Promise.resolve(),
      finish: (linesBytes, parts) => {
        const all = [draft.leaves, draft.lines.subarray(0, linesBytes), ...BUNDLE_PARTS.slice(2).map((name) => parts[name]!)];
        const archive = all.flatMap((bytes, i) => [tarHeader(BUNDLE_PARTS[i]!, bytes.length), bytes, tarPadding(bytes.length)]);
        this.bundles.set(id, Buffer.concat([...archive, tarEnd]));
        this.drafts.delete(id);
        return Promise.resolve(id);
      },
      close: () => Promise.resolve(),
    });
  }
}
