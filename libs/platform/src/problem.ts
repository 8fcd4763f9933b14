import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'

export interface ProblemField {
  /** JSON pointer (RFC 6901) into the body. */
  readonly pointer: string
  readonly detail: string
}

/** A refusal where OAuth has no form of its own: problem details. @see RFC 9457 */
export class Problem extends Error {
  override readonly name = 'Problem'

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail?: string,
    readonly more: {
      readonly errors?: readonly ProblemField[]
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(detail ?? title)
  }

  toJSON(): object {
    const { status, title, detail, more } = this
    return {
      type: 'about:blank',
      title,
      status,
      ...(detail !== undefined && { detail }),
      ...(more.errors && { errors: more.errors }),
    }
  }
}

/** The JSON body of a request, checked. Unknown members are refused: a misspelt one would otherwise be lost without a word. */
export const JsonBody = <S extends z.ZodObject>(schema: S) =>
  createParamDecorator((_: undefined, context: ExecutionContext) => {
    const { body, headers } = context.switchToHttp().getRequest<FastifyRequest>()
    if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) {
      throw new Problem(415, 'Unsupported Media Type', 'The body must be application/json.')
    }
    return parseBody(schema, body)
  })()

/** @throws Problem 400 that points at each wrong member */
export function parseBody<S extends z.ZodObject>(schema: S, body: unknown): z.infer<S> {
  assertStorable(body)
  const result = schema.strict().safeParse(body)
  if (result.success) return result.data as z.infer<S>
  const errors = result.error.issues.flatMap(issue =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map(key => ({
          pointer: pointer([...issue.path, key]),
          detail: 'is not a member of this request',
        }))
      : [{ pointer: pointer(issue.path), detail: issue.message }],
  )
  const [first] = errors
  const detail = first ? `${first.pointer || 'The body'}: ${first.detail}` : 'The body is not valid.'
  throw new Problem(400, 'Bad Request', detail, { errors })
}

/** Postgres stores neither NUL nor half a surrogate pair: better refused by name than by an error of the database. */
function assertStorable(value: unknown, path: readonly PropertyKey[] = []): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) assertStorable(member, [...path, key])
  } else if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) {
    const detail = 'contains a character that is no text: NUL, or half a surrogate pair'
    throw new Problem(400, 'Bad Request', `${pointer(path) || 'The body'}: ${detail}`, {
      errors: [{ pointer: pointer(path), detail }],
    })
  }
}

const pointer = (path: readonly PropertyKey[]) =>
  path.map(part => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
