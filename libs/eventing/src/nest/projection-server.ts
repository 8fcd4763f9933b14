import { type CustomTransportStrategy, Server } from '@nestjs/microservices'
import type { Eventing } from '../eventing.js'

/** Lets a Nest application own the service's consumers: they start and stop with it. */
export class ProjectionServer extends Server implements CustomTransportStrategy {
  constructor(private readonly eventing: Eventing) {
    super()
  }

  listen(listening: () => void): void {
    this.eventing.start()
    listening()
  }

  async close(): Promise<void> {
    await this.eventing.stop()
  }

  /** There is no client underneath to listen to or to hand out: projections are the only handlers. */
  on(): never {
    throw new Error('Projections have no events to listen to: read their status')
  }

  unwrap<T>(): T {
    throw new Error('There is no server underneath')
  }
}
