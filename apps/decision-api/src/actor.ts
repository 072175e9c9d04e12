import type { ServiceCaller } from './auth/caller.js';

/** How a service signs what people sign elsewhere: in facts and lists, apart from every person of the console and the command line. */
export function actorOf({ name }: ServiceCaller): string {
  return `service@${name}`;
}
