import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { Problem, parseBody } from './problem.js'

const schema = z.object({
  name: z.string().min(1),
  tags: z.array(z.object({ 'a/b~c': z.int() })).default([]),
})

function refusal(body: unknown): Problem {
  try {
    parseBody(schema, body)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('It was taken')
}

describe('a problem (RFC 9457)', () => {
  it('has the members of the RFC, and none without a value', () => {
    expect(JSON.parse(JSON.stringify(new Problem(404, 'Not Found')))).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
    })
    expect(new Problem(404, 'Not Found').message).toBe('Not Found')
  })

  it('never shows the headers that it is sent with', () => {
    const problem = new Problem(503, 'Busy', 'Later.', { headers: { 'retry-after': '1' } })
    expect(JSON.stringify(problem)).not.toContain('retry-after')
  })
})

describe('a JSON body', () => {
  it('is read as the schema says', () => {
    expect(parseBody(schema, { name: 'Ada' })).toEqual({ name: 'Ada', tags: [] })
  })

  it.each<[string, unknown, string[]]>([
    ['a missing member', {}, ['/name']],
    ['a member of another type', { name: 1 }, ['/name']],
    ['a member that there is not', { name: 'Ada', nmae: 'x' }, ['/nmae']],
    // RFC 6901 §3: "~" is "~0" and "/" is "~1"
    ['a member deep inside', { name: 'Ada', tags: [{ 'a/b~c': 1 }, { 'a/b~c': 'x' }] }, ['/tags/1/a~1b~0c']],
    ['several', { name: '', tags: 1 }, ['/name', '/tags']],
    ['nothing', undefined, ['']],
    ['text', 'Ada', ['']],
    ['a list', [], ['']],
    ['null', null, ['']],
    ['a NUL', { name: 'a\0b' }, ['/name']],
    ['half a surrogate pair', { name: '\ud83d' }, ['/name']],
    ['a NUL deep inside', { name: 'Ada', tags: [{ x: '\0' }] }, ['/tags/0/x']],
  ])('with %s is refused, pointing at it', (_, body, pointers) => {
    const { status, detail = '', more } = refusal(body)
    expect(status).toBe(400)
    expect(more.errors?.map(({ pointer }) => pointer)).toEqual(pointers)
    expect(detail.startsWith(pointers[0] || 'The body')).toBe(true)
  })

  it('takes every character that is one', () => {
    expect(parseBody(schema, { name: '😀 ä \u0001 \n' }).name).toBe('😀 ä \u0001 \n')
  })
})
