import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

/** As Nest numbers them. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

export interface Route {
  readonly method: (typeof METHODS)[number];
  /** Such as `v1/consents/:id`. */
  readonly path: string;
}

/** Every route that the controllers of an application declare. */
export function routesOf(app: INestApplication): Route[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((one) => [...one.controllers.values()]);
  return controllers.flatMap(({ metatype }) => {
    const prototype = (metatype as { prototype: Record<string, unknown> }).prototype;
    const base = [Reflect.getMetadata('path', metatype as object) as string | string[]].flat();
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      const method = typeof handler === 'function' ? METHODS[Reflect.getMetadata('method', handler) as number] : undefined;
      if (method === undefined) return [];
      const own = [Reflect.getMetadata('path', handler as object) as string | string[]].flat();
      return base.flatMap((prefix) => own.map((path) => ({ method, path: plain(`${prefix}/${path}`) })));
    });
  });
}

/** The paths of all that only read. */
export function getRoutesOf(app: INestApplication): string[] {
  return [...new Set(routesOf(app).flatMap(({ method, path }) => (method === 'GET' ? [path] : [])))].sort();
}

function plain(path: string): string {
  return path.replace(/\/+/g, '/').replace(/^\/|\/$/g, '');
}
