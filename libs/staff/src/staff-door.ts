import { Refusal } from '#kernel';
import { type StaffAccount, passwordCharsMax } from './account.js';
import { codes } from './codes.js';
import { requireLive, type StaffMember, wantsTouch } from './session.js';
import { ADDRESS_PATIENCE, countAttempt, NAME_PATIENCE } from './sign-in-brake.js';
import { signedIn, signedOut, signInFailed, viewed, type View } from './staff-facts.js';
import type { BrakeKey, Counted, StaffSecrets, StaffStore } from './store.js';

export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Where the attempt comes from, if that is known: counted, never stored in clear. */
  readonly address: string | undefined;
  /** The token that this browser holds from before: its session ends as the new one opens. */
  readonly heldToken?: string | undefined;
}

/** Signing in, staying signed in, signing out. */
export class StaffDoor {
  constructor(
    private readonly store: StaffStore,
    private readonly secrets: StaffSecrets,
  ) {}

  /** Refuses `sign_in.throttled` (429) and `credentials.wrong` (401). */
  async signIn(credentials: Credentials, at: Date): Promise<{ token: string; member: StaffMember }> {
    const byName = nameKey(credentials, at);
    const byAddress = addressKey(credentials, at);
    const failures = await this.passBrake([byName, ...byAddress]);
    const account = await this.store.findAccount(credentials.name);
    const counted = { clear: byName.key, giveBack: byAddress.map(({ key }) => key) };
    const opened = (await this.matches(account, credentials.password)) ? await this.open(account!, counted, at) : undefined;
    if (!opened) {
      await this.store.saveFacts([signInFailed(account?.id, failures)]);
      throw new Refusal('unauthenticated', codes.credentialsWrong, 'that name and password do not belong together');
    }
    await this.endHeld(credentials.heldToken, at);
    return opened;
  }

  /** The person behind a token. Refuses as `requireLive`. A request of a waiting page (`background`) does not keep a session alive. */
  async authenticate(token: string | undefined, at: Date, background = false): Promise<StaffMember> {
    const session = token === undefined ? undefined : await this.store.findSession(this.secrets.digestToken(token));
    const member = requireLive(session, at);
    if (!background && wantsTouch(session!, at)) await this.store.touchSession(session!.id, at);
    return member;
  }

  async signOut(member: StaffMember, at: Date): Promise<void> {
    await this.store.endSession(member.sessionId, at, [signedOut(member)]);
  }

  /** Call it before the data leaves: a read that cannot be told does not happen. */
  async noteViews(member: StaffMember, views: readonly [View, ...View[]]): Promise<void> {
    const [first, ...rest] = views;
    await this.store.saveFacts([viewed(member, first), ...rest.map((view) => viewed(member, view))]);
  }

  private async passBrake(keys: readonly BrakeKey[]): Promise<number> {
    const braked = await this.store.countAttempt(keys);
    if ('next' in braked) return braked.next.failures;
    const retryAfterSeconds = Math.ceil(braked.waitMs / 1000);
    throw new Refusal('throttled', codes.signInThrottled, `too many failed attempts; wait ${retryAfterSeconds} s`, { retryAfterSeconds });
  }

  private async matches(account: StaffAccount | undefined, password: string): Promise<boolean> {
    const usable = account?.state === 'ACTIVE' && password.length <= passwordCharsMax ? account.passwordHash : undefined;
    return this.secrets.matchesPassword(password.slice(0, passwordCharsMax), usable);
  }

  private async open(account: StaffAccount, counted: Counted, at: Date) {
    const { token, digest } = this.secrets.newToken();
    const session = { id: this.secrets.newId(at.getTime()), account, tokenDigest: digest, createdAt: at, seenAt: at };
    const member = requireLive(session, at);
    return (await this.store.openSession(session, counted, [signedIn(member)])) ? { token, member } : undefined;
  }

  /** The browser forgets the token it held, so nobody could end that session any more. */
  private async endHeld(token: string | undefined, at: Date): Promise<void> {
    const held = token === undefined ? undefined : await this.store.findSession(this.secrets.digestToken(token));
    if (held) await this.store.endSession(held.id, at, [signedOut({ id: held.account.id, sessionId: held.id })]);
  }
}

function nameKey({ name }: Credentials, at: Date): BrakeKey {
  return { key: `name:${name}`, rule: (known) => countAttempt(known, at, NAME_PATIENCE) };
}

function addressKey({ address }: Credentials, at: Date): BrakeKey[] {
  return address === undefined ? [] : [{ key: `address:${address}`, rule: (known) => countAttempt(known, at, ADDRESS_PATIENCE) }];
}
