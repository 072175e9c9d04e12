import { parsePublicJwk } from '#evidence';
import type { ParticipantRegistry, Participants } from '#partners';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import { readToyBank, TOY_BANKS } from './toy-banks.js';

/** Enrols and activates the toy banks; a renewed certificate or a new signing key is added beside the old one. */
export async function seedBanks(participants: Participants, registry: ParticipantRegistry, pki: string): Promise<void> {
  for (const bank of TOY_BANKS) {
    const files = readToyBank(pki, bank);
    const certificate = readIssuedCertificate(files.cert, files.authority);
    const keys = files.jwks.keys.map(parsePublicJwk);
    const known = registry.list().find(({ id }) => id === bank.id);
    if (!known) await participants.enrol({ id: bank.id, name: bank.name, certificate, keys });
    else if (!known.certificates.some(({ x5t }) => x5t === certificate.x5t)) await participants.registerCertificate(bank.id, certificate);
    for (const key of known ? keys : []) {
      if (!known!.keys.some(({ kid }) => kid === key.kid)) await participants.addKey(bank.id, key);
    }
    if (!known || known.state === 'ENROLLED') await participants.activate(bank.id, 'toy bank of a development installation');
  }
}
