import type { LoggerService } from '@nestjs/common'
import { type DestinationStream, type Logger, pino } from 'pino'
import { currentTrace } from './trace.js'

// What may never be read in a log, wherever it stands in what is logged.
const secrets = [
  'authorization',
  'cookie',
  'set-cookie',
  'dpop',
  'client_secret',
  'client_assertion',
  'code',
  'code_verifier',
  'refresh_token',
  'access_token',
  'token',
  'subject_token',
  'actor_token',
  'password',
  'assertion',
]
const places = ['', '*.', '*.*.', '*.*.*.']
const redacted = secrets.flatMap(name =>
  places.map(place => (name.includes('-') ? `${place.slice(0, -1)}["${name}"]` : `${place}${name}`)),
)

/**
 * JSON lines on stdout, without secrets. They are written many at a time and within a quarter of a second; a warning or an error at once,
 * with those before it; and all of them before the process ends.
 */
export function createLogger(
  service: string,
  level: string,
  destination: DestinationStream & { flush?(): void } = stdout(),
): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: redacted, censor: '[secret]' },
      mixin: () => {
        const trace = currentTrace()
        return trace ? { trace: trace.traceId } : {}
      },
      // one field goes to many, not many to one: V8 makes a new kind of object of each that is added
      mixinMergeStrategy: (line, trace) => ({ ...line, ...trace }),
      hooks: {
        logMethod(args, method, level) {
          method.apply(this, args)
          if (level >= warn) destination.flush?.()
        },
      },
    },
    destination,
  )
}

const warn = 40 // as pino counts
const stdout = () => gathered(pino.destination({ fd: 1, sync: true })) // which writes before it returns: what waits elsewhere is lost with the process

const gatheredCharacters = 32_768
const gatheredMilliseconds = 250

/**
 * Hands its lines on many at a time: a write takes as long as dozens of lines. pino’s own stream can wait as well, but measures, at each line,
 * all that wait with it.
 */
export function gathered(destination: DestinationStream): DestinationStream & { flush(): void } {
  let lines: string[] = []
  let characters = 0
  const flush = () => {
    if (lines.length > 0) destination.write(lines.join(''))
    lines = []
    characters = 0
  }
  setInterval(flush, gatheredMilliseconds).unref()
  process.prependListener('exit', flush) // before anything that writes there itself
  return {
    flush,
    write(line) {
      lines.push(line)
      characters += line.length
      if (characters >= gatheredCharacters) flush()
    },
  }
}

/** The same log for lines that are always of the same fields, none of them a secret: looking for one costs more than the line. */
export function withoutRedaction(logger: Logger): Logger {
  return logger.child({}, { redact: [] })
}

/** Nest's own words, in the service's log. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}
  log(message: unknown, context?: string): void {
    this.logger.debug({ context }, String(message))
  }
  error(message: unknown, stack?: string, context?: string): void {
    this.logger.error({ context, stack }, String(message))
  }
  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, String(message))
  }
  debug(message: unknown, context?: string): void {
    this.logger.debug({ context }, String(message))
  }
  verbose(message: unknown, context?: string): void {
    this.logger.trace({ context }, String(message))
  }
}
