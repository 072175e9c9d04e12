import { concatBytes, packedItemBytes } from '#evidence';
import { type ItemPage, pageItemsMax, type RecordSetSource } from './store.js';

const pageBytesMax = pageItemsMax * packedItemBytes;

/** Items collected since the pages that are kept end; when they fill a page they are kept, too. */
export class LoosePages {
  private constructor(
    /** How far pages are kept, as far as is known here. */
    readonly keptTo: bigint,
    private readonly pages: ItemPage[],
  ) {}

  static since(keptTo: bigint): LoosePages {
    return new LoosePages(keptTo, []);
  }

  /** For work that may fail half-way. */
  copy(): LoosePages {
    return new LoosePages(this.keptTo, [...this.pages]);
  }

  push(page: ItemPage): void {
    this.pages.push(page);
  }

  /** Where a page is full: keeps all that is loose, which reaches to `to`. Where another process has kept less or more, goes on from there. */
  async settle(participant: string, to: bigint, source: RecordSetSource): Promise<LoosePages> {
    if (this.pages.reduce((sum, page) => sum + page.length, 0) < pageBytesMax) return this;
    const end = await source.keep(participant, this.keptTo, to, cut(concatBytes(this.pages)));
    const rest = LoosePages.since(end);
    if (end < to) for await (const page of source.collect(participant, end, to)) rest.push(page);
    return rest;
  }
}

function cut(items: Uint8Array): ItemPage[] {
  const pages = Math.ceil(items.length / pageBytesMax);
  return Array.from({ length: pages }, (_, page) => items.subarray(page * pageBytesMax, (page + 1) * pageBytesMax));
}
