import type { ShardedId } from '#kernel';
import type { Appeal } from '../appeal.js';
import type { AppealBook } from '../appeal-store.js';
import type { ImposedRestriction } from '../imposed.js';
import type { OrderRequest } from '../staff-order.js';

interface RestrictionShelf {
  readonly history: readonly { readonly subject: string; readonly restriction: ImposedRestriction }[];
}

/** Appeals and orders in memory. Whoever uses it runs one transaction at a time. */
export class MemoryAppealBook implements AppealBook {
  private appeals: readonly Appeal[] = [];
  private orders: readonly OrderRequest[] = [];

  constructor(private readonly shelf: RestrictionShelf) {}

  snapshot(): () => void {
    const { appeals, orders } = this;
    return () => void Object.assign(this, { appeals, orders });
  }

  find(subject: string, restriction: string): Appeal | undefined {
    return this.appeals.find((appeal) => appeal.subject.uuid === subject && appeal.restriction === restriction);
  }

  open(): Appeal[] {
    return this.appeals.filter(({ state }) => state === 'OPEN').sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
  }

  waiting(): OrderRequest[] {
    return this.orders.filter(({ state }) => state === 'WAITING');
  }

  async appealOf({ uuid }: ShardedId, restriction: string): Promise<Appeal | undefined> {
    return this.find(uuid, restriction);
  }

  async saveAppeal(appeal: Appeal): Promise<void> {
    this.appeals = [...this.appeals.filter(({ id }) => id !== appeal.id), appeal];
  }

  async order({ uuid }: ShardedId, id: string): Promise<OrderRequest | undefined> {
    return this.orders.find((one) => one.subject.uuid === uuid && one.id === id);
  }

  async orderByKey({ uuid }: ShardedId, by: string, key: string): Promise<OrderRequest | undefined> {
    return this.orders.find((one) => one.subject.uuid === uuid && one.by === by && one.key === key);
  }

  async saveOrder(request: OrderRequest): Promise<void> {
    this.orders = [...this.orders.filter(({ id }) => id !== request.id), request];
  }

  async restriction({ uuid }: ShardedId, id: string): Promise<ImposedRestriction | undefined> {
    return this.shelf.history.find(({ subject, restriction }) => subject === uuid && restriction.id === id)?.restriction;
  }
}
