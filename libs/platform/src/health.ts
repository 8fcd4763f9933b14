import { Public } from '@grantlog/resource-guard/nest'
import { Controller, Get, Res } from '@nestjs/common'
import type { FastifyReply } from 'fastify'

export interface Check {
  readonly ok: boolean
  readonly detail?: string
}

/** What the service needs to be of use, by name. */
export class HealthRegistry {
  readonly #checks = new Map<string, () => Promise<Check>>()
  #stopping = false

  add(name: string, check: () => Promise<Check>): void {
    this.#checks.set(name, check)
  }

  /** From now on the service is not ready, whatever the checks say: requests should go to others. */
  stop(): void {
    this.#stopping = true
  }

  async read(): Promise<{ status: 'ready' | 'not ready' | 'stopping'; checks: Record<string, Check> }> {
    const checks = await Promise.all(
      [...this.#checks].map(async ([name, check]) => {
        const result = await check().catch((error: unknown) => ({
          ok: false,
          detail: error instanceof Error ? error.message : String(error),
        }))
        return [name, result] as const
      }),
    )
    const ok = checks.every(([, check]) => check.ok)
    return {
      status: this.#stopping ? 'stopping' : ok ? 'ready' : 'not ready',
      checks: Object.fromEntries(checks),
    }
  }
}

@Controller('health')
@Public()
export class HealthController {
  constructor(private readonly health: HealthRegistry) {}

  /** The process runs; nothing else is asked. */
  @Get('live')
  live(): { status: 'live' } {
    return { status: 'live' }
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const health = await this.health.read()
    if (health.status !== 'ready') reply.status(503)
    return health
  }
}
