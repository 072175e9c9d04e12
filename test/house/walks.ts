/**
 * Which way one may walk (DESIGN.md, "The house"). Changing the architecture is changing this table.
 * A place is where a file lives; its row names the places it may import and the packages it may use.
 */

/** Rooms, left to right: a room knows only the fronts of rooms to its left. */
export const ROOMS = [
  'partners',
  'staff',
  'consents',
  'records',
  'scoring',
  'standing',
  'policies',
  'decisions',
  'programmes',
  'reconciliation',
  'audit',
] as const;

export type Place = 'kernel' | 'contract' | 'evidence' | 'platform' | 'sdk' | 'core' | 'adapters' | 'testing' | 'app' | 'certs' | 'test';

interface Walk {
  /** Shared libraries whose front may be imported. */
  readonly libs: readonly string[];
  /** Which rooms' fronts (`#room`). */
  readonly fronts: 'none' | 'left' | 'all';
  /** Which rooms' adapters (`#room/adapters/…`). */
  readonly wiring: 'none' | 'left' | 'all';
  /** Packages and Node modules: `any`, or the only ones allowed. */
  readonly packages: 'any' | readonly RegExp[];
}

const PURE = [/^zod$/];
const EVIDENCE = [/^jose$/, /^canonicalize$/, /^node:(crypto|zlib)$/];

export const WALKS: Readonly<Record<Place, Walk>> = {
  kernel: { libs: [], fronts: 'none', wiring: 'none', packages: [] },
  contract: { libs: ['kernel'], fronts: 'none', wiring: 'none', packages: PURE },
  evidence: { libs: ['kernel'], fronts: 'none', wiring: 'none', packages: EVIDENCE },
  platform: { libs: ['kernel', 'contract', 'evidence'], fronts: 'none', wiring: 'none', packages: 'any' },
  // Its examples import it by the name that users install.
  sdk: {
    libs: ['kernel', 'contract', 'evidence'],
    fronts: 'none',
    wiring: 'none',
    packages: [/^node:/, /^undici$/, /^jose$/, /^@tallystick\/sdk$/],
  },
  core: {
    libs: ['kernel', 'contract', 'evidence'],
    fronts: 'left',
    wiring: 'none',
    packages: [...PURE, /^saxes$/, /^@marcbachmann\/cel-js$/],
  },
  adapters: { libs: ['kernel', 'contract', 'evidence', 'platform'], fronts: 'left', wiring: 'left', packages: 'any' },
  testing: { libs: ['kernel', 'contract', 'evidence', 'platform'], fronts: 'left', wiring: 'left', packages: 'any' },
  app: { libs: ['kernel', 'contract', 'evidence', 'platform', 'sdk', 'certs'], fronts: 'all', wiring: 'all', packages: 'any' },
  certs: { libs: ['kernel'], fronts: 'none', wiring: 'none', packages: 'any' },
  test: { libs: ['kernel', 'contract', 'evidence', 'platform', 'sdk', 'certs'], fronts: 'all', wiring: 'all', packages: 'any' },
};
