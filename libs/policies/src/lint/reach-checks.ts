import type { DiscountDocument, PolicyDocument } from '../document.js';
import { type Remark, warning } from './finding.js';
import { reaches, tiersOf } from './reach.js';

/** A minimum score that no tier as a whole has: even the best tier is let in only in part. */
export function servicesOutOfReach(document: PolicyDocument): Remark[] {
  const best = tiersOf(document).at(-1)!;
  return document.services.flatMap(({ name, minimumScore }, i) => {
    if (minimumScore === undefined || minimumScore <= best.minimumScore) return [];
    const message = `no tier reaches ${minimumScore}: the highest, ${best.name}, starts at ${best.minimumScore}, so "${name}" is closed to a part of it`;
    return [warning('service.out_of_reach', `/services/${i}/minimumScore`, message)];
  });
}

/** Tiers that every service turns away. */
export function tiersServedNowhere(document: PolicyDocument): Remark[] {
  const asking = document.services.filter(({ mode }) => mode !== 'off');
  return tiersOf(document).flatMap((tier) => {
    if (asking.length === 0 || asking.some((service) => reaches(tier, service))) return [];
    const index = document.tiers.findIndex(({ name }) => name === tier.name);
    return [
      warning(
        'tier.served_nowhere',
        `/tiers/${index}`,
        `every service asks for more than ${tier.maximumScore}, the best score of ${tier.name}`,
      ),
    ];
  });
}

/** Tiers of a discount that none of its services lets in. */
export function discountsOutOfReach(document: PolicyDocument): Remark[] {
  const tiers = new Map(tiersOf(document).map((tier) => [tier.name, tier]));
  return document.discounts.flatMap((discount, d) => {
    const services = document.services.filter((service) => coversService(discount, service.name));
    return discount.tiers.flatMap((name, t) => {
      if (services.some((service) => reaches(tiers.get(name)!, service))) return [];
      const message = `discount "${discount.id}" never applies to ${name}: no service it is for lets that tier in`;
      return [warning('discount.out_of_reach', `/discounts/${d}/tiers/${t}`, message)];
    });
  });
}

function coversService({ services }: DiscountDocument, name: string): boolean {
  return services.length === 0 || services.includes(name);
}
