import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { mergeMap, type Observable } from 'rxjs';
import { invariant, parseId, type ShardedId } from '#kernel';
import { SubjectViews } from '#standing';
import { callers } from '../auth/caller.js';
import { READS } from './reads.js';

/** Notes what a service read of a person, where the handler says that it tells something (`@Reads`). A refusal tells nothing and leaves nothing. */
@Injectable()
export class ReadsInterceptor implements NestInterceptor {
  constructor(
    @Inject(SubjectViews) private readonly views: SubjectViews,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const what = this.reflector.get<string | undefined>(READS, context.getHandler());
    if (what === undefined || context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = callers.get(request);
    invariant(caller, 'what tells of people has a caller');
    return next.handle().pipe(
      mergeMap(async (answer: unknown) => {
        await this.views.note({ by: caller.name, what, subject: subjectOf(request, answer) });
        return answer;
      }),
    );
  }
}

/** Whom the path names, or the answer. */
function subjectOf({ params }: FastifyRequest, answer: unknown): ShardedId {
  const { id } = params as { readonly id?: string };
  const named = id?.startsWith('sub_') ? id : (answer as { readonly subject?: string }).subject;
  invariant(named !== undefined, 'what is told of a person says of whom');
  return parseId('sub', named);
}
