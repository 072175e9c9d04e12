import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

const GET = 0;

/** Every GET route that the controllers of an application declare, such as `v1/consents/:id`. */
export function getRoutesOf(app: INestApplication): string[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((one) => [...one.controllers.values()]);
  const routes = controllers.flatMap(({ metatype }) => {
    const prototype = (metatype as { prototype: Record<string, unknown> }).prototype;
    const base = [Reflect.getMetadata('path', metatype as object) as string | string[]].flat();
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      if (typeof handler !== 'function' || Reflect.getMetadata('method', handler) !== GET) return [];
      const own = [Reflect.getMetadata('path', handler) as string | string[]].flat();
      return base.flatMap((prefix) => own.map((path) => `${prefix}/${path}`.replace(/\/+/g, '/').replace(/^\/|\/$/g, '')));
    });
  });
  return [...new Set(routes)].sort();
}
