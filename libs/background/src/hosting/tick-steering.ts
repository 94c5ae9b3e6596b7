import { IllegalStateError, NotTickedError } from '../errors.js';
import { ServiceRecord } from './service-record.js';
import type { ScheduleChange, TickControl, TickRecord } from './service-runner.js';

/** What users ask of a service's schedule, and whether its state allows that. */
export abstract class TickSteering extends ServiceRecord {
  async trigger(): Promise<TickRecord> {
    const ticks = this.ticksFor('trigger');
    if (!this.host.isOpen) throw new IllegalStateError('the host', 'not running', 'trigger()');
    if (this.state !== 'running' && this.state !== 'paused') {
      throw new IllegalStateError(`service '${this.name}'`, this.state, 'trigger()');
    }
    return ticks.trigger();
  }

  pause(): void {
    const ticks = this.ticksFor('pause');
    if (this.state === 'paused') return;
    this.enter('paused');
    ticks.pause();
    this.host.events.emit('service.paused', { ...this.label });
  }

  resume(): void {
    const ticks = this.ticksFor('resume');
    if (this.state === 'running') return;
    this.enter('running');
    ticks.resume();
    this.host.events.emit('service.resumed', { ...this.label });
  }

  reschedule(schedule: ScheduleChange): void {
    const ticks = this.ticksFor('reschedule');
    ticks.reschedule(schedule);
    this.host.events.emit('service.rescheduled', { ...this.label, nextTickAt: ticks.nextTickAt });
  }

  private ticksFor(operation: string): TickControl {
    const ticks = this.runner.ticks;
    if (ticks === undefined) throw new NotTickedError(this.name, this.kind, operation);
    return ticks;
  }
}
