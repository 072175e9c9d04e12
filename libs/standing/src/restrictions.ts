import { type Clock, eachAlone, type Fact, invariant, Refusal, type ShardedId } from '#kernel';
import { answerAppeal, type Appeal, type AppealWish, openAppeal, remindOf, repeatAppeal } from './appeal.js';
import type { AppealBook, RestrictionReader } from './appeal-store.js';
import { NO_ORDERS, type Orders } from './climb.js';
import type { Clerk } from './notary.js';
import { orderText } from './order-text.js';
import { judge, type Occasion, saveChange } from './save-change.js';
import { askOrder, decideOrder, imposedByHand, type OrderRequest, type OrderWish } from './staff-order.js';
import type { Books, Exchange, HeldSubject } from './store.js';

const remindersPerRunMax = 200;

/** What people do about restrictions: staff impose and lift, subjects appeal. Every call may be repeated; each is one transaction. */
export class Restrictions {
  constructor(
    private readonly exchange: Exchange,
    private readonly clerk: Clerk,
    private readonly clock: Clock,
  ) {}

  /**
   * Orders something; what needs no second person is done when this answers. Refuses 404 `subject.unknown`, `restriction.unknown`,
   * `appeal.unknown`; 409 `restriction.ended`, `appeal.answered`; 422 `idempotency.key_reused`.
   */
  async order(subject: ShardedId, wish: OrderWish): Promise<{ request: OrderRequest; repeated: boolean }> {
    return await this.exchange.transaction(async (books) => {
      const held = await hold(books, subject);
      const before = await books.appeals.orderByKey(subject, wish.by, wish.key);
      if (before) return { request: repeatOrder(before, wish), repeated: true };
      const at = this.clock.now();
      const { request, fact } = askOrder(subject, wish, this.clerk.uuid(at), at);
      await checkOrder(books.appeals, held, request, at);
      if (request.state === 'DONE') await this.carryOut(books, held, request, fact);
      else await books.facts.append([fact]);
      await books.appeals.saveOrder(request);
      return { request, repeated: false };
    });
  }

  /** The second person's word. Refuses 404 `restriction_order.unknown`, what `decideOrder` refuses, and what `order` refuses of the order. */
  async decide(subject: ShardedId, id: string, approve: boolean, by: string): Promise<OrderRequest> {
    return await this.exchange.transaction(async (books) => {
      const held = await hold(books, subject);
      const known = await books.appeals.order(subject, id);
      if (!known) throw new Refusal('not_found', 'restriction_order.unknown', 'there is no order of this id');
      const asked = approve ? 'DONE' : 'DECLINED';
      if (known.state === asked && known.decidedBy === by) return known;
      const { request, fact } = decideOrder(known, approve, by, this.clock.now());
      if (approve) await checkOrder(books.appeals, held, request, this.clock.now());
      if (approve) await this.carryOut(books, held, request, fact);
      else await books.facts.append([fact]);
      await books.appeals.saveOrder(request);
      return request;
    });
  }

  /** A subject's appeal against a restriction. Refuses 404 `subject.unknown`, `restriction.unknown`, 409 `restriction.ended`, `appeal.too_late`, `appeal.exists`. */
  async appeal(subject: ShardedId, restriction: string, wish: AppealWish): Promise<{ appeal: Appeal; repeated: boolean }> {
    return await this.exchange.transaction(async (books) => {
      const held = await hold(books, subject);
      const before = await books.appeals.appealOf(subject, restriction);
      if (before) return { appeal: repeatAppeal(before, wish), repeated: true };
      const at = this.clock.now();
      const standing = await getStanding(books.appeals, held, restriction, at);
      const { appeal, fact } = openAppeal(subject, standing, wish, { id: this.clerk.uuid(at), at, terms: held.ladder.appeal });
      await books.facts.append([fact]);
      await books.appeals.saveAppeal(appeal);
      return { appeal, repeated: false };
    });
  }

  /** Reminds staff, once each, of the appeals whose answer is due soon. A sweep calls it; answers the reminders given now. */
  async remind(reader: RestrictionReader): Promise<Appeal[]> {
    const reminded: Appeal[] = [];
    await eachAlone(await reader.appealsToRemind(this.clock.now(), remindersPerRunMax), async ({ subject, restriction }) => {
      const done = await this.exchange.transaction((books) => this.remindOne(books, subject, restriction));
      if (done) reminded.push(done);
    });
    return reminded;
  }

  private async remindOne(books: Books, subject: ShardedId, restriction: string): Promise<Appeal | undefined> {
    await hold(books, subject);
    const appeal = await books.appeals.appealOf(subject, restriction);
    invariant(appeal, 'an appeal is never removed');
    // Another process may have been here between the question and the hold.
    const reminder = remindOf(appeal, this.clock.now());
    if (!reminder) return undefined;
    await books.facts.append([reminder.fact]);
    await books.appeals.saveAppeal(reminder.appeal);
    return reminder.appeal;
  }

  /** Upholding changes no standing; everything else judges it anew under the same hold, so no decision is made on the old one afterwards. */
  private async carryOut(books: Books, held: HeldSubject, request: OrderRequest, fact: Fact): Promise<void> {
    const [at, by] = [this.clock.now(), request.decidedBy ?? request.by];
    const { action } = request.order;
    const answered = await this.answered(books.appeals, held, request, by);
    if (action.kind === 'UPHOLD') return void (await books.facts.append([fact, answered!.fact]));
    const grounds = {
      records: held.inForce,
      links: held.links,
      orders: await ordersOf(books.appeals, request, held, { at, newId: () => this.clerk.uuid(at) }),
    };
    const occasion: Occasion = { at, why: 'LIFTED', ladder: held.ladder, by };
    const judgement = judge(held.standing, grounds, occasion, this.clerk);
    const happenings = [...judgement.happenings, ...(answered ? [{ fact: answered.fact, notices: [] }] : [])];
    await saveChange(books, { fact, notices: [] }, { ...judgement, happenings }, occasion, this.clerk);
  }

  private async answered(book: AppealBook, { subject }: HeldSubject, { order }: OrderRequest, by: string) {
    const { action } = order;
    if (action.kind === 'IMPOSE') return undefined;
    const appeal = await book.appealOf(subject.id, action.restriction);
    // Lifting a restriction early answers its open appeal, too: it was successful.
    if (action.kind === 'LIFT' && appeal?.state !== 'OPEN') return undefined;
    const answer = answerAppeal(getAppeal(appeal), action.kind === 'UPHOLD' ? 'UPHELD' : 'OVERTURNED', by, this.clock.now());
    await book.saveAppeal(answer.appeal);
    return answer;
  }
}

async function hold(books: Books, subject: ShardedId): Promise<HeldSubject> {
  const held = await books.hold(subject);
  if (!held) throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
  return held;
}

function repeatOrder(before: OrderRequest, { order }: OrderWish): OrderRequest {
  if (orderText(before.order) === orderText(order)) return before;
  throw new Refusal('unprocessable', 'idempotency.key_reused', 'this key came with another order before');
}

/** An appeal is answered also after its restriction is over. */
async function checkOrder(book: AppealBook, held: HeldSubject, { order: { action } }: OrderRequest, at: Date): Promise<void> {
  if (action.kind === 'IMPOSE') return;
  if (action.kind === 'LIFT') return void (await getStanding(book, held, action.restriction, at));
  const { state } = getAppeal(await book.appealOf(held.subject.id, action.restriction));
  if (state !== 'OPEN') throw new Refusal('conflict', 'appeal.answered', `this appeal is ${state}`);
}

function getAppeal(appeal: Appeal | undefined): Appeal {
  if (appeal) return appeal;
  throw new Refusal('not_found', 'appeal.unknown', 'nobody appealed against this restriction');
}

async function getStanding(book: AppealBook, { subject, standing }: HeldSubject, id: string, at: Date) {
  const found = standing.restrictions.find((restriction) => restriction.id === id);
  if (found && (!found.endsAt || found.endsAt > at)) return found;
  if (!found && !(await book.restriction(subject.id, id))) {
    throw new Refusal('not_found', 'restriction.unknown', 'the subject has no restriction of this id');
  }
  throw new Refusal('conflict', 'restriction.ended', 'this restriction is over');
}

async function ordersOf(
  book: AppealBook,
  { order }: OrderRequest,
  { subject, ladder, standing }: HeldSubject,
  { at: now, newId }: { readonly at: Date; readonly newId: () => string },
): Promise<Orders> {
  const { action } = order;
  const at = now > standing.updatedAt ? now : standing.updatedAt;
  if (action.kind === 'IMPOSE') return { ...NO_ORDERS, impose: [imposedByHand(action, order, { id: newId(), at, ladder })] };
  if (action.kind === 'LIFT') return { ...NO_ORDERS, lift: [{ id: action.restriction, why: 'LIFTED' }] };
  const cause = (await book.restriction(subject.id, action.restriction))?.cause;
  return { ...NO_ORDERS, lift: [{ id: action.restriction, why: 'OVERTURNED' }], overturned: cause ? [cause] : [] };
}
