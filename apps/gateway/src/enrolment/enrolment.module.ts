import { type DynamicModule, Module } from '@nestjs/common';
import { Enrolments } from '#partners';
import { EnrolmentBrake } from './enrolment-brake.js';
import { EnrolmentController, GATEWAY_DOOR } from './enrolment.controller.js';

/** What invited organisations reach: one call and its answer. */
@Module({})
export class EnrolmentModule {
  static register(enrolments: Enrolments, brake: EnrolmentBrake, gatewayOrigin: string): DynamicModule {
    return {
      module: EnrolmentModule,
      controllers: [EnrolmentController],
      providers: [
        { provide: Enrolments, useValue: enrolments },
        { provide: EnrolmentBrake, useValue: brake },
        { provide: GATEWAY_DOOR, useValue: gatewayOrigin },
      ],
    };
  }
}
