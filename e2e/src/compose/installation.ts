import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { eventually } from '@grantlog/testing'
import type { Podman } from '../images/podman.js'
import { dockerCompose } from './docker-compose.js'

const file = join(import.meta.dirname, '../../../docker-compose.yml')
const label = (project: string) => `--filter=label=com.docker.compose.project=${project}`

/** What docker-compose.yml says, run by Docker Compose itself on podman. */
export class Installation {
  readonly #project = `grantlog-${randomBytes(4).toString('hex')}`
  readonly #closing = new AbortController()
  readonly #api: ReturnType<Podman['serve']>
  readonly #healthy: Promise<void>

  private constructor(
    private readonly podman: Podman,
    private readonly program: readonly string[],
    private readonly environment: NodeJS.ProcessEnv,
  ) {
    this.#api = podman.serve()
    this.#healthy = this.#checkHealth()
  }

  static async open(podman: Podman, environment: NodeJS.ProcessEnv): Promise<Installation> {
    const installation = new Installation(podman, await dockerCompose(), environment)
    await eventually(() => installation.compose('ls'))
    return installation
  }

  /** `docker compose …`. Returns what it printed. @throws Error with its last words */
  async compose(...args: string[]): Promise<string> {
    const [command = '', ...first] = this.program
    const env = {
      ...process.env,
      ...this.environment,
      DOCKER_HOST: this.#api.address,
      COMPOSE_PROJECT_NAME: this.#project,
    }
    const all = [...first, '--progress=plain', `--file=${file}`, ...args]
    try {
      return (await promisify(execFile)(command, all, { env, maxBuffer: 1e8 })).stdout.trim()
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      throw new Error(`docker compose ${args.join(' ')}: ${`${stdout}${stderr}`.trim().slice(-2000)}`)
    }
  }

  /** Starts everything, and returns once the proof is there. @throws Error with the last words, also of the steps that most may fail */
  async up(...files: string[]): Promise<void> {
    try {
      await this.compose(...files.map(each => `--file=${each}`), 'up', '--no-build', '--wait')
    } catch (error) {
      const words = await this.compose('logs', '--tail=20', 'databases', 'topics', 'demo', 'proof')
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${words}`)
    }
  }

  /** What a service’s container says to a program in it. */
  inside(service: string, ...program: string[]): Promise<string> {
    return this.compose('exec', '--no-TTY', service, ...program)
  }

  /** What a service’s container has said. */
  words(service: string): Promise<string> {
    return this.compose('logs', '--no-log-prefix', service)
  }

  async remove(): Promise<void> {
    await this.compose('down', '--volumes', '--timeout=5')
    this.#closing.abort()
    await this.#healthy
    await this.#api.stop()
  }

  /** Podman leaves it to systemd, which is not everywhere, to ask containers whether they are healthy. */
  async #checkHealth(): Promise<void> {
    const waiting = [
      'ps',
      '--quiet',
      label(this.#project),
      '--filter=health=starting',
      '--filter=health=unhealthy',
    ]
    while (!this.#closing.signal.aborted) {
      const containers = (await this.podman.run(...waiting)).split('\n').filter(id => id !== '')
      for (const id of containers) await this.podman.run('healthcheck', 'run', id).catch(notYet)
      await sleep(500)
    }
  }
}

const notYet = () => undefined // it is asked again
