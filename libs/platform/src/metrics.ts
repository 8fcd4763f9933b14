import { Public } from '@grantlog/resource-guard/nest'
import { Controller, Get, Header } from '@nestjs/common'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What a service measures of itself. Labels are route patterns and status classes, never anything of a request. */
export class Metrics {
  readonly registry = new Registry()
  readonly #requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request to the end of the answer.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }

  /** Adds a gauge with one label; `read` is asked for its values whenever somebody reads the metrics. */
  gauge(
    definition: { readonly name: string; readonly help: string; readonly label: string },
    read: () => ReadonlyMap<string, number>,
  ): void {
    const { name, help, label } = definition
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset()
        for (const [value, number] of read()) this.set({ [label]: value }, number)
      },
    })
  }

  /** Adds a counter with one label; each of its values is told from the beginning, as 0. @returns what adds one */
  counter<Value extends string>(definition: {
    readonly name: string
    readonly help: string
    readonly label: string
    readonly values: readonly Value[]
  }): (value: Value) => void {
    const { name, help, label, values } = definition
    const counter = new Counter({ name, help, labelNames: [label], registers: [this.registry] })
    for (const value of values) counter.inc({ [label]: value }, 0)
    return value => counter.inc({ [label]: value })
  }

  /** Adds a histogram of seconds with one label. @returns what adds one observation */
  histogram(definition: {
    readonly name: string
    readonly help: string
    readonly label: string
    readonly buckets: readonly number[]
  }): (value: string, seconds: number) => void {
    const { name, help, label, buckets } = definition
    const histogram = new Histogram({
      name,
      help,
      labelNames: [label],
      buckets: [...buckets],
      registers: [this.registry],
    })
    return (value, seconds) => histogram.observe({ [label]: value }, seconds)
  }

  observe(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, seconds)
  }
}

@Controller()
@Public()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  read(): Promise<string> {
    return this.metrics.registry.metrics()
  }
}
