import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Headroom, HeadroomFlow } from '#decisions';
import { parseId } from '#kernel';
import { Scopes } from './auth/caller.js';
import { Reads } from './reads/reads.js';

@ApiTags('subjects')
@Controller('v1/subjects')
export class HeadroomController {
  constructor(@Inject(HeadroomFlow) private readonly headroom: HeadroomFlow) {}

  /** How much the subject could still spend, where. */
  @Get(':id/headroom')
  @Reads('headroom')
  @Scopes('standing:read')
  async find(@Param('id') id: string): Promise<Headroom> {
    return await this.headroom.of(parseId('sub', id));
  }
}
