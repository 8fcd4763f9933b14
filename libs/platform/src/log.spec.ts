import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { eventually } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'
import { createLogger, gathered, NestLog, withoutRedaction } from './log.js'
import { traceOf, withinTrace } from './trace.js'

function logging(level = 'info') {
  const lines: string[] = []
  const logger = createLogger('token', level, { write: line => void lines.push(line) })
  return { logger, lines, parsed: () => lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

const names = [
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

describe('a line of the log', () => {
  it('is JSON with time, service, level in words, and what was said', () => {
    const { logger, parsed } = logging()
    logger.info({ status: 200 }, 'request')
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        service: 'token',
        status: 200,
        msg: 'request',
      },
    ])
  })

  it('names the trace of the request, where it belongs to one', () => {
    const { logger, parsed } = logging()
    const trace = traceOf(undefined)
    withinTrace(trace, () => logger.info('inside'))
    logger.info('outside')
    expect(parsed().map(line => line.trace)).toEqual([trace.traceId, undefined])
  })

  it('of the same fields always is the same line without a search for secrets', () => {
    const { logger, parsed } = logging()
    logger.info({ status: 200 }, 'request')
    withoutRedaction(logger).info({ status: 200 }, 'request')
    const [one, other] = parsed().map(({ time: _, ...rest }) => rest)
    expect(other).toEqual(one)
  })

  it.each(names)('never shows %s, wherever it stands', name => {
    const { logger, lines } = logging()
    const secret = 'correct-horse-battery'
    logger.info({ [name]: secret })
    logger.info({ body: { [name]: secret } })
    logger.info({ request: { headers: { [name]: secret } } })
    logger.info({ err: { request: { headers: { [name]: secret } } } })
    logger.child({ [name]: secret }).info('child')
    expect(lines).toHaveLength(5)
    expect(lines.filter(line => line.includes(secret))).toEqual([])
    expect(lines.filter(line => line.includes('[secret]'))).toHaveLength(5)
  })

  it('is not held back when it is a warning or an error', () => {
    const flushed: string[] = []
    const lines: string[] = []
    const destination = {
      write: (line: string) => void lines.push(line),
      flush: () => void flushed.push(...lines.splice(0)),
    }
    const logger = createLogger('token', 'info', destination)
    logger.info('request')
    logger.warn('careful')
    logger.error('broken')
    logger.child({ of: 'a child' }).error('too')
    logger.info('later')
    expect(flushed.map(line => JSON.parse(line).msg)).toEqual(['request', 'careful', 'broken', 'too'])
  })

  it('is not written below the level', () => {
    const { logger, lines } = logging('warn')
    logger.info('not worth it')
    logger.warn('worth it')
    expect(lines).toHaveLength(1)
  })

  it('of Nest itself is worth less than one of ours, but for its errors', () => {
    const { logger, parsed } = logging()
    const nest = new NestLog(logger)
    nest.log('Mapped {/token, POST} route', 'RouterExplorer')
    nest.warn('careful', 'Nest')
    nest.error('broken', 'at line 1', 'Nest')
    expect(parsed()).toMatchObject([
      { level: 'warn', msg: 'careful', context: 'Nest' },
      { level: 'error', msg: 'broken', context: 'Nest', stack: 'at line 1' },
    ])
  })
})

describe('lines that are gathered', () => {
  function gathering() {
    const written: string[] = []
    return { written, lines: gathered({ write: text => void written.push(text) }) }
  }

  it('are written many at a time, in their order', () => {
    const { written, lines } = gathering()
    const all = Array.from({ length: 1000 }, (_, n) => `line ${n} ${'.'.repeat(200)}\n`)
    for (const line of all) lines.write(line)
    lines.flush()
    expect(written.join('')).toBe(all.join(''))
    expect(written.length).toBeLessThan(10)
  })

  it('are written soon, though no more come', async () => {
    const { written, lines } = gathering()
    lines.write('alone\n')
    expect(written).toEqual([])
    await eventually(() => expect(written).toEqual(['alone\n']), { timeout: 2000 })
  })

  it('are written once, and nothing where there are none', () => {
    const { written, lines } = gathering()
    lines.write('once\n')
    lines.flush()
    lines.flush()
    expect(written).toEqual(['once\n'])
  })

  it('are written when the process ends, before anything else is done then', () => {
    const { written, lines } = gathering()
    lines.write('last words\n')
    const [first] = process.listeners('exit')
    first?.(0)
    expect(written).toEqual(['last words\n'])
  })
})

describe('a process that ends', () => {
  const ending = `
    import { createLogger } from ${JSON.stringify(new URL('../dist/log.js', import.meta.url).href)}
    const logger = createLogger('token', 'info')
    for (let line = 0; line < 5000; line++) logger.info({ line }, 'request')
    process.exit(0)`

  it('has written each of its lines, in their order, though nobody was in a hurry to read them', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', ending], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await setTimeout(500)
    const lines = (await text(child.stdout)).trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line).line)).toEqual(Array.from({ length: 5000 }, (_, line) => line))
  })
})
