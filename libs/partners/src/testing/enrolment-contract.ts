import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEd25519Signer, type Signer, signJws } from '#evidence';
import { ManualClock, Refusal, uuidV7 } from '#kernel';
import { KEY_PROOF_TYPE, parseEnrolmentForm } from '../enrolment-form.js';
import { type EnrolmentClerk, Enrolments } from '../enrolments.js';
import type { InvitationWish } from '../invitation.js';
import { IssueCertificates, type Issuer } from '../issue-certificates.js';
import { ParticipantRegistry } from '../participant-registry.js';
import { Participants } from '../participants.js';
import type { EnrolmentStore, ParticipantStore } from '../store.js';
import { aCertificate, AT } from './builders.js';

const HOUR_MS = 3_600_000;
const digest = (data: string | Uint8Array) => createHash('sha256').update(data).digest('base64url');

/** `digestCsr` stands in for the reader of PKCS#10: a CSR that says `bad` is refused. */
const clerk: EnrolmentClerk = {
  digest,
  secret: () => randomBytes(32).toString('base64url'),
  uuid: (at) => uuidV7(at.getTime(), randomBytes(10)),
  digestCsr: (pem) => {
    if (pem.includes('bad')) return Promise.reject(new Refusal('unprocessable', 'csr.signature', 'the CSR is not signed by its own key'));
    return Promise.resolve(digest(pem));
  },
};

/** Issues a certificate whose fingerprint is the request's id; `refuse` makes it say no. */
class ToyIssuer implements Issuer {
  refuse: string | undefined;
  issued = 0;

  issue({ id, participant }: { id: string; participant: string }, at: Date) {
    if (this.refuse) return Promise.reject(new Refusal('unprocessable', this.refuse, 'no'));
    this.issued++;
    const certificate = aCertificate({ x5t: id, serial: id.replaceAll('-', ''), notBefore: at });
    return Promise.resolve({ chain: `certificate of ${participant}`, certificate });
  }
}

export interface EnrolmentStores {
  readonly participants: ParticipantStore;
  readonly enrolments: EnrolmentStore;
}

/** What enrolment promises on every store. `factKinds` tells the facts of a participant in order. */
export function enrolmentContract(make: () => EnrolmentStores, factKinds: (participant: string) => Promise<string[]>): void {
  function world() {
    const { participants: store, enrolments: files } = make();
    const clock = new ManualClock(AT);
    const registry = new ParticipantRegistry(store, clock);
    const issuer = new ToyIssuer();
    const id = `bank-${randomBytes(4).toString('hex')}`;
    const enrolments = new Enrolments(files, registry, clerk, clock);
    const invite = (wish: Partial<InvitationWish> = {}) =>
      enrolments.invite({ participant: id, name: 'Bank', ttlMs: HOUR_MS, activate: false, by: 'otto', ...wish });
    const me = async () => (await store.loadAll()).find((one) => one.id === id)!;
    const participants = new Participants(store, registry, clock);
    return { id, clock, issuer, registry, enrolments, invite, me, participants, files, issue: new IssueCertificates(files, issuer, clock) };
  }

  function newSigner(kid: string): Signer {
    return createEd25519Signer({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });
  }

  function formOf(secret: string, signers: readonly Signer[], csr = 'a CSR') {
    const proof = { invitation: digest(secret), csr: digest(csr) };
    const proofs = signers.map((signer) => signJws(KEY_PROOF_TYPE, proof, signer));
    return { csr, jwks: { keys: signers.map(({ publicJwk }) => publicJwk) }, proofs };
  }

  describe('an invited organisation', () => {
    it('enrols by itself, and is let in once the issuer and the operator have done their part', async () => {
      const { id, registry, enrolments, invite, me, participants, issue } = world();
      const { secret } = await invite();
      expect(await me()).toMatchObject({ state: 'INVITED', name: 'Bank', keys: [], certificates: [] });
      const form = parseEnrolmentForm({
        ...formOf(secret, [newSigner('k1'), newSigner('k2')]),
        addresses: ['203.0.113.7', '2001:db8::/32'],
      });
      const { request } = await enrolments.enrol(secret, form);
      expect((await enrolments.find(secret, request.id)).state).toBe('REQUESTED');
      expect(await issue.run()).toBe(1);
      expect(await enrolments.find(secret, request.id)).toMatchObject({ state: 'ISSUED', certificate: `certificate of ${id}` });
      // Who has its certificate uses it at once, and the process that gave it out knows it.
      expect(registry.find(id)!.certificates.map(({ x5t }) => x5t)).toEqual([request.id]);
      const enrolled = await me();
      expect(enrolled).toMatchObject({ state: 'ENROLLED', addresses: ['2001:db8::/32', '203.0.113.7/32'], authorities: ['authority-1'] });
      expect(enrolled.keys.map(({ kid, state }) => [kid, state])).toEqual([
        ['k1', 'ACTIVE'],
        ['k2', 'ACTIVE'],
      ]);
      await participants.activate(id, 'checked');
      const kinds = ['invited', 'enrolment_requested', 'certificate_added', 'enrolled', 'activated'];
      expect(await factKinds(id)).toEqual(kinds.map((kind) => `participant.${kind}`));
    });

    it('gets the same answer for the same form, however often, and 409 for another', async () => {
      const { enrolments, invite, issue, issuer, me, clock } = world();
      const { secret } = await invite({ activate: true });
      const signer = newSigner('k1');
      const form = parseEnrolmentForm(formOf(secret, [signer]));
      const [first, ...more] = await Promise.all([1, 2, 3].map(() => enrolments.enrol(secret, form)));
      await issue.run();
      clock.advance(2 * HOUR_MS);
      const late = await enrolments.enrol(secret, form);
      expect(late).toMatchObject({ repeated: true, request: { state: 'ISSUED' } });
      expect(new Set([first!, ...more, late].map(({ request }) => request.id)).size).toBe(1);
      expect(issuer.issued).toBe(1);
      expect((await me()).state).toBe('ACTIVE');
      for (const other of [
        formOf(secret, [signer], 'another CSR'),
        formOf(secret, [newSigner('k1')]),
        { ...formOf(secret, [signer]), addresses: ['::1'] },
      ]) {
        await expect(enrolments.enrol(secret, parseEnrolmentForm(other))).rejects.toThrow('enrolment.conflict');
      }
      expect((await me()).certificates).toHaveLength(1);
    });

    type Spoil = (form: ReturnType<typeof formOf>, secret: string) => object;
    const stranger = newSigner('k9');
    const spoilt: [what: string, code: string, spoil: Spoil][] = [
      ['a CSR that fails its checks', 'csr.signature', (form, secret) => formOf(secret, [newSigner('k1')], `bad ${form.csr}`)],
      ['a key without a proof', 'key.unproved', (form) => ({ ...form, proofs: [] })],
      ['a proof by a stranger’s key', 'key.proof_wrong', (form, secret) => ({ ...form, proofs: formOf(secret, [stranger]).proofs })],
      ['a proof over another CSR', 'key.proof_wrong', (form) => ({ ...form, csr: 'another CSR' })],
      ['a proof for another invitation', 'key.proof_wrong', (_form, secret) => formOf(`${secret}x`, [stranger])],
      [
        'a proof that was changed',
        'signature.',
        (form) => ({ ...form, proofs: form.proofs.map((proof) => `${proof.slice(0, -8)}AAAAAAAA`) }),
      ],
      ['a private key', 'key.private', (form) => ({ ...form, jwks: { keys: [{ ...form.jwks.keys[0], d: 'x' }] } })],
      ['an unknown field', 'enrolment.malformed', (form) => ({ ...form, participant: 'bank-b' })],
      ['no network at all', 'addresses.malformed', (form) => ({ ...form, addresses: ['203.0.113.0/33'] })],
    ];
    it.each(spoilt)('%s is refused as %s, and the invitation is as good as before', async (_what, code, spoil) => {
      const { enrolments, invite, me } = world();
      const { secret } = await invite();
      const good = formOf(secret, [newSigner('k1')]);
      await expect(Promise.resolve().then(() => enrolments.enrol(secret, parseEnrolmentForm(spoil(good, secret))))).rejects.toThrow(code);
      expect((await me()).keys).toEqual([]);
      expect(await enrolments.enrol(secret, parseEnrolmentForm(good))).toMatchObject({ repeated: false });
    });

    it('hears from the issuer why it got nothing', async () => {
      const { id, enrolments, invite, issue, issuer, me } = world();
      issuer.refuse = 'csr.usage';
      const { secret } = await invite();
      const { request } = await enrolments.enrol(secret, parseEnrolmentForm(formOf(secret, [newSigner('k1')])));
      await issue.run();
      expect(await enrolments.find(secret, request.id)).toMatchObject({ state: 'REFUSED', refused: { code: 'csr.usage' } });
      expect(await me()).toMatchObject({ state: 'INVITED', certificates: [] });
      expect(await factKinds(id)).toContain('participant.certificate_refused');
    });
  });

  describe('an invitation', () => {
    it('is one answer to whoever guesses, comes late, or holds one that was replaced', async () => {
      const { enrolments, invite, clock } = world();
      const { secret } = await invite();
      const form = parseEnrolmentForm(formOf(secret, [newSigner('k1')]));
      const second = await invite({ ttlMs: HOUR_MS });
      const refusals = [
        () => enrolments.enrol(secret, form),
        () => enrolments.enrol('guessed', form),
        () => enrolments.find('guessed', 'x'),
      ];
      clock.advance(HOUR_MS + 1);
      refusals.push(() => enrolments.enrol(second.secret, parseEnrolmentForm(formOf(second.secret, [newSigner('k1')]))));
      const messages = new Set<string>();
      for (const refused of refusals) messages.add(await refused().then(String, (error: Error) => error.message));
      expect([...messages]).toEqual([expect.stringMatching(/^invitation\.invalid/)]);
    });

    it('is kept as a digest, and shows nobody else’s request', async () => {
      const { enrolments, invite, files } = world();
      const { secret, invitation } = await invite();
      expect(invitation.digest).toBe(digest(secret));
      expect(JSON.stringify(await files.findInvitation(digest(secret)))).not.toContain(secret);
      const other = world();
      const theirs = await other.invite();
      const { request } = await other.enrolments.enrol(theirs.secret, parseEnrolmentForm(formOf(theirs.secret, [newSigner('k1')])));
      await expect(enrolments.find(secret, request.id)).rejects.toThrow('enrolment.unknown');
      await expect(enrolments.findOwn(other.id, request.id)).rejects.toThrow('enrolment.unknown');
    });

    it.each([
      ['invitation.ttl', { ttlMs: 0 }],
      ['invitation.ttl', { ttlMs: 31 * 86_400_000 }],
      ['participant.name_malformed', { name: 'a\nb' }],
    ])('is refused as %s: %j', async (code, wish) => {
      await expect(world().invite(wish)).rejects.toThrow(code);
    });
  });

  describe('an active participant', () => {
    async function active() {
      const made = world();
      const { secret } = await made.invite({ activate: true });
      await made.enrolments.enrol(secret, parseEnrolmentForm(formOf(secret, [newSigner('k1')])));
      await made.issue.run();
      return made;
    }

    it('renews its certificate itself; both overlap; the same CSR again is a repetition for a day', async () => {
      const { id, enrolments, issue, me, clock } = await active();
      const { request } = await enrolments.renew(id, 'next CSR');
      expect(await enrolments.renew(id, 'next CSR')).toMatchObject({ repeated: true, request: { id: request.id } });
      await issue.run();
      expect(await enrolments.findOwn(id, request.id)).toMatchObject({ state: 'ISSUED' });
      expect((await me()).certificates.filter(({ revoked }) => !revoked)).toHaveLength(2);
      expect((await me()).state).toBe('ACTIVE');
      clock.advance(86_400_001);
      expect(await enrolments.renew(id, 'next CSR')).toMatchObject({ repeated: false });
    });

    it('may not fill the issuer’s desk', async () => {
      const { id, enrolments } = await active();
      for (let n = 0; n < 4; n++) await enrolments.renew(id, `CSR ${n}`);
      await expect(enrolments.renew(id, 'one more')).rejects.toThrow('certificate.requests_open');
    });

    it('is decided once by two issuers at work at once', async () => {
      const { id, enrolments, issue, me } = await active();
      await enrolments.renew(id, 'next CSR');
      await Promise.all([issue.run(), issue.run()]);
      expect((await me()).certificates).toHaveLength(2);
      expect((await factKinds(id)).filter((kind) => kind === 'participant.certificate_added')).toHaveLength(2);
    });

    it('may enrol anew by invitation, keeps what it has, and adds a key', async () => {
      const { invite, enrolments, issue, me } = await active();
      const { secret } = await invite();
      await enrolments.enrol(secret, parseEnrolmentForm(formOf(secret, [newSigner('k2')], 'from a new machine')));
      await issue.run();
      const after = await me();
      expect(after.state).toBe('ACTIVE');
      expect(after.keys.map(({ kid }) => kid)).toEqual(['k1', 'k2']);
      expect(after.certificates).toHaveLength(2);
    });
  });
}
