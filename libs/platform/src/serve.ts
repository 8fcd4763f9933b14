import 'reflect-metadata'
import { setTimeout as delay } from 'node:timers/promises'
import fastifyCors from '@fastify/cors'
import { Commands, Eventing, foldedStates, ProjectionServer } from '@grantlog/eventing'
import { GuardErrorFilter } from '@grantlog/resource-guard/nest'
import type { DynamicModule, INestApplicationContext, Provider, Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { Logger } from 'pino'
import { DataSource } from 'typeorm'
import { certificateContradiction } from './client-certificate.js'
import { Clock } from './clock.js'
import {
  type ConfigDefinition,
  ConfigurationError,
  databaseSettings,
  describeConfig,
  loadConfig,
  processEnvironment,
  type Shape,
  type ValuesOf,
} from './config.js'
import { type DatabaseDefinition, migrate, openDatabase, poolOf } from './database.js'
import { ErrorFilter, type ErrorForm, type ErrorPage } from './error-filter.js'
import { measureEvents } from './event-metrics.js'
import {
  createEventing,
  type EventsDefinition,
  type EventValues,
  eventContradictions,
  eventSettings,
} from './events.js'
import { HealthController, HealthRegistry } from './health.js'
import { corsAt, corsOptions, corsSettings, createAdapter, prepareHttp } from './http.js'
import { createLogger, NestLog } from './log.js'
import { Metrics, MetricsController } from './metrics.js'
import { leaveParent, stopBy } from './signals.js'
import { CONFIG, LOGGER } from './tokens.js'

/** A service: everything that `serve` needs to run it. */
export interface ServiceDefinition<S extends Shape> {
  readonly name: string
  readonly config: ConfigDefinition<S>
  readonly module: Type<unknown>
  /** In which form it refuses what OAuth has no error for. Default: problem details (RFC 9457). */
  readonly errors?: ErrorForm
  /** Paths at which clients call and no person does: refused in OAuth’s form, and open to applications in browsers (CORS). */
  readonly clientEndpoints?: readonly string[]
  /** How it refuses a request of a browser that asks for a page; without it, as any other. */
  readonly page?: ErrorPage
  readonly database?: DatabaseDefinition
  readonly events?: EventsDefinition
  /** Run as `node main.js <name> …` instead of serving; what one returns is printed. */
  readonly commands?: Readonly<Record<string, Command<S>>>
  /** The same for those that need nothing of the service's module: they also work where that does not start. */
  readonly bareCommands?: Readonly<Record<string, Command<S>>>
  /** Whether applications in browsers may read its answers (CORS), and so ALLOWED_ORIGINS is a setting. */
  readonly cors?: boolean
}

export type Command<S extends Shape> = (context: {
  readonly app: INestApplicationContext
  readonly config: ValuesOf<S>
  readonly args: readonly string[]
}) => Promise<string | undefined>

interface CommonValues extends EventValues {
  readonly HOST: string
  readonly PORT: number
  readonly LOG_LEVEL: string
  readonly SHUTDOWN_GRACE_SECONDS: number
  readonly SHUTDOWN_DELAY_SECONDS: number
  readonly TRUSTED_PROXIES: readonly string[]
  readonly DATABASE_URL: string
  readonly DATABASE_ROLE: string | undefined
  readonly DATABASE_POOL: number
  readonly ALLOWED_ORIGINS: readonly string[]
}

/** The settings that a service has in the end: its own, and those of what it uses. */
export function settingsOf<S extends Shape>(definition: ServiceDefinition<S>): ConfigDefinition {
  const { service, settings, contradictions = [] } = definition.config
  return {
    service,
    settings: {
      ...settings,
      ...(definition.database && databaseSettings),
      ...(definition.events && eventSettings),
      ...((definition.cors || definition.clientEndpoints) && corsSettings),
    },
    contradictions: [
      ...contradictions,
      certificateContradiction,
      ...(definition.events ? eventContradictions : []),
    ],
  }
}

/**
 * What the main.ts of a service does once it heeds signals. `node main.js` serves, others run a command of it. `node main.js migrate` needs only the database's
 * settings.
 * `node main.js settings` needs no setting itself: it prints what there are, as JSON. `node main.js doctor` needs only the database's:
 * it prints, as JSON, what is wrong with what only this program's code can judge.
 */
export async function serve<S extends Shape>(definition: ServiceDefinition<S>): Promise<void> {
  const [command, ...args] = process.argv.slice(2)
  if (command === 'settings') {
    process.stdout.write(`${JSON.stringify(describeConfig(settingsOf(definition)))}\n`)
    return
  }
  try {
    if (command === 'doctor') return await examineStates(definition)
    if (command === 'migrate') return await migrateOnly(definition)
    const config = loadConfig(settingsOf(definition), processEnvironment()) as ValuesOf<S> & CommonValues
    const logger = createLogger(definition.name, command === undefined ? config.LOG_LEVEL : 'error')
    if (command === undefined) await listen(definition, config, logger)
    else await runCommand(definition, config, logger, command, args)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${message.replace(/^/gm, `${definition.name}: `)}\n`)
    process.exitCode = error instanceof ConfigurationError ? 78 : 1
    leaveParent()
    setTimeout(() => process.exit(), 1000).unref()
  }
}

async function migrateOnly<S extends Shape>({ name, database }: ServiceDefinition<S>): Promise<void> {
  if (database === undefined) throw new Error('“migrate” is for services with a database')
  const config = loadConfig({ service: name, settings: databaseSettings }, processEnvironment())
  // nobody waits for an answer of it, and others wait for its end: it is patient with a busy machine
  const db = await openDatabase(config.DATABASE_URL, config.DATABASE_POOL, database, 60_000)
  try {
    const done = await migrate(db, config.DATABASE_ROLE)
    process.stdout.write(done === 0 ? 'the schema was up to date\n' : `ran ${done} migrations\n`)
  } finally {
    await db.destroy()
    leaveParent()
  }
}

/** Looks at the folded states, migrates nothing. Exit code 1 when one is wrong. */
async function examineStates<S extends Shape>({ name, events }: ServiceDefinition<S>): Promise<void> {
  if (events?.service === undefined) throw new Error('“doctor” is for services that write events')
  const { DATABASE_URL } = loadConfig({ service: name, settings: databaseSettings }, processEnvironment())
  const db = await openDatabase(DATABASE_URL, 1, { migrations: [] })
  try {
    const client = await poolOf(db).connect()
    const findings = await foldedStates(events.service, client, events.deciders ?? []).finally(() =>
      client.release(),
    )
    process.stdout.write(`${JSON.stringify({ findings })}\n`)
    if (findings.some(({ ok }) => !ok)) process.exitCode = 1
  } finally {
    await db.destroy()
  }
}

interface Parts {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly health: HealthRegistry
  readonly db: DataSource | undefined
  readonly eventing: Eventing | undefined
}

async function openParts<S extends Shape>(
  definition: ServiceDefinition<S>,
  config: CommonValues,
  logger: Logger,
): Promise<Parts> {
  const clock = new Clock()
  const health = new HealthRegistry()
  const db =
    definition.database &&
    (await openDatabase(config.DATABASE_URL, config.DATABASE_POOL, definition.database))
  if (db) {
    const done = await migrate(db, config.DATABASE_ROLE)
    if (done > 0) logger.info({ migrations: done }, 'the schema is up to date')
    health.add('database', async () => {
      await db.query('select 1')
      return { ok: true }
    })
  }
  const eventing =
    db &&
    definition.events &&
    createEventing(definition.name, definition.events, config, { db, logger, clock })
  const metrics = new Metrics()
  if (eventing) {
    measureEvents(metrics.registry, eventing)
    health.add('projections', async () => eventing.health())
    // others learn late what happens here, but what happens here is stored: the service stays of use
    health.add('log', async () => ({ ...eventing.logHealth(), ok: true }))
  }
  return { clock, metrics, health, db, eventing }
}

class PlatformModule {}
class NoModule {}

function platform<S extends Shape>(
  definition: ServiceDefinition<S>,
  config: ValuesOf<S>,
  logger: Logger,
  parts: Parts,
): DynamicModule {
  const providers: Provider[] = [
    { provide: CONFIG, useValue: config },
    { provide: LOGGER, useValue: logger },
    { provide: Clock, useValue: parts.clock },
    { provide: Metrics, useValue: parts.metrics },
    { provide: HealthRegistry, useValue: parts.health },
    ...(parts.db ? [{ provide: DataSource, useValue: parts.db }] : []),
    ...(parts.eventing
      ? [
          { provide: Eventing, useValue: parts.eventing },
          { provide: Commands, useValue: parts.eventing.commands },
        ]
      : []),
  ]
  return {
    module: PlatformModule,
    global: true,
    imports: [definition.module],
    controllers: [HealthController, MetricsController],
    providers,
    exports: providers,
  }
}

async function listen<S extends Shape>(
  definition: ServiceDefinition<S>,
  config: ValuesOf<S> & CommonValues,
  logger: Logger,
): Promise<void> {
  process.on('unhandledRejection', reason => {
    logger.fatal({ err: reason }, 'an error was not handled')
    process.exit(1)
  })
  // nobody was told that it is ready, and Postgres takes back what was not committed
  stopBy(why => {
    logger.info({ why }, 'stopped while it started')
    process.exit(0)
  })
  const parts = await openParts(definition, config, logger)
  const app = await NestFactory.create<NestFastifyApplication>(
    platform(definition, config, logger, parts),
    createAdapter(config.TRUSTED_PROXIES, definition.errors ?? 'problem'),
    { logger: new NestLog(logger), bodyParser: false, abortOnError: false },
  )
  const { cors = false, clientEndpoints = [], errors = 'problem' } = definition
  // before any other hook, whose refusals a browser is to read as well; Nest's enableCors would set each answer's headers twice
  if (cors) await app.register(fastifyCors, corsOptions(config.ALLOWED_ORIGINS))
  else if (clientEndpoints.length > 0)
    await app.register(fastifyCors, corsAt(clientEndpoints, config.ALLOWED_ORIGINS))
  const allowedMethods = prepareHttp(app, logger, parts.metrics)
  // Nest asks the last one first
  app.useGlobalFilters(
    new ErrorFilter(
      logger,
      path => (clientEndpoints.includes(path) ? 'oauth' : errors),
      definition.page,
      allowedMethods,
    ),
    new GuardErrorFilter(),
  )
  if (parts.eventing) app.connectMicroservice({ strategy: new ProjectionServer(parts.eventing) })
  await app.startAllMicroservices()
  await app.listen(config.PORT, config.HOST)
  stopInOrder(app, parts, config, logger)
  const { port } = new URL(await app.getUrl())
  logger.info({ host: config.HOST, port: Number(port) }, 'listening')
  process.send?.({ ready: true, port: Number(port) })
}

/** Ready no more, then after the delay no new connections, then what is in flight, then the parts. */
function stopInOrder(
  app: NestFastifyApplication,
  { health, db }: Parts,
  config: CommonValues,
  logger: Logger,
): void {
  const stop = async (why: string) => {
    stopBy(again => {
      if (again.startsWith('SIG')) process.exit(1)
    })
    logger.info({ why }, 'stopping')
    health.stop()
    await delay(config.SHUTDOWN_DELAY_SECONDS * 1000)
    setTimeout(() => {
      logger.error('requests were still in flight at the end of the grace')
      process.exit(1)
    }, config.SHUTDOWN_GRACE_SECONDS * 1000).unref()
    await app.close()
    await db?.destroy()
    logger.flush()
    process.exit(0)
  }
  stopBy(why => void stop(why))
}

async function runCommand<S extends Shape>(
  definition: ServiceDefinition<S>,
  config: ValuesOf<S> & CommonValues,
  logger: Logger,
  name: string,
  args: readonly string[],
): Promise<void> {
  const { commands = {}, bareCommands = {} } = definition
  const known = ['migrate', 'settings', 'doctor', ...Object.keys({ ...commands, ...bareCommands })]
  if (!known.includes(name)) throw new Error(`“${name}” is no command; there are: ${known.join(', ')}`)
  const parts = await openParts(definition, config, logger)
  const needed = name in bareCommands ? { ...definition, module: NoModule } : definition
  const app = await NestFactory.createApplicationContext(platform(needed, config, logger, parts), {
    logger: new NestLog(logger),
    abortOnError: false,
  })
  try {
    const said = await (bareCommands[name] ?? commands[name])?.({ app, config, args })
    if (said !== undefined) process.stdout.write(`${said}\n`)
  } finally {
    await app.close()
    await parts.eventing?.stop()
    await parts.db?.destroy()
    leaveParent()
  }
}
