import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { catalogue } from '../catalogue.js'
import { wireType } from '../event.js'
import { derivedFiles, generate, problems } from './files.js'

const repository = join(import.meta.dirname, '../../../..')
const schema = 'libs/contracts/generated/schemas/token.revoked.v1.json'
const corpus = 'libs/contracts/corpus/token.revoked.v1.json'

describe('the files of this repository', () => {
  it('are what the catalogue says', () => {
    expect(problems(repository)).toEqual([])
  })
})

describe('generated files', () => {
  let root: string
  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  const write = (path: string, text: string) => writeFileSync(join(root, path), text)

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'grantlog-contracts-'))
    generate(root)
  })
  afterEach(() => rmSync(root, { recursive: true }))

  it('are fresh once they are written, and writing again changes nothing', () => {
    expect(problems(root)).toEqual([])
    expect(generate(root)).toEqual([])
  })

  it('are a schema and a corpus line for each event, and the documents', () => {
    for (const type of catalogue.map(wireType)) {
      expect(existsSync(join(root, `libs/contracts/generated/schemas/${type}.json`))).toBe(true)
      expect(existsSync(join(root, `libs/contracts/corpus/${type}.json`))).toBe(true)
    }
    expect([...derivedFiles().keys()].filter(path => !path.includes('/schemas/'))).toEqual([
      'libs/contracts/generated/envelope.json',
      'libs/contracts/generated/heartbeat.json',
      'libs/contracts/generated/asyncapi.json',
      'libs/contracts/generated/asyncapi.html',
      'docs/reference/events.md',
      'k8s/base/kafka/topics.yaml',
      'k8s/base/kafka/users.yaml',
    ])
  })

  it.each([...derivedFiles().keys()])('%s is missed, noticed when edited, and written again', path => {
    const before = read(path)
    appendFileSync(join(root, path), ' ')
    expect(problems(root)).toEqual([`${path} is not what the catalogue says`])
    rmSync(join(root, path))
    expect(problems(root)).toEqual([`${path} is missing`])
    expect(generate(root)).toEqual([path])
    expect(read(path)).toBe(before)
  })

  it('of an event that is gone are noticed and removed', () => {
    const orphan = 'libs/contracts/generated/schemas/token.forgotten.v1.json'
    write(orphan, '{}\n')
    expect(problems(root)).toEqual([`${orphan} is of an event that the catalogue does not have`])
    expect(generate(root)).toEqual([orphan])
    expect(problems(root)).toEqual([])
  })

  it('say nothing to a check that only looks', () => {
    rmSync(join(root, schema))
    problems(root)
    expect(existsSync(join(root, schema))).toBe(false)
  })

  it('have a corpus that is added where it is missing', () => {
    const before = read(corpus)
    rmSync(join(root, corpus))
    expect(problems(root)).toEqual([`${corpus} is missing`])
    expect(generate(root)).toEqual([corpus])
    expect(read(corpus)).toBe(before)
  })

  it('have a corpus that is never overwritten', () => {
    const other = read(corpus).replace('"logseq":1', '"logseq":2')
    write(corpus, other)
    expect(generate(root)).toEqual([])
    expect(read(corpus)).toBe(other)
    expect(problems(root)).toEqual([])
  })

  it.each<[string, (text: string) => string, string]>([
    [
      'a required field that it lacks',
      text => text.replace('"reason":"client-suspended",', ''),
      'can no longer be read: reason: ',
    ],
    [
      'a value that is no longer known',
      text => text.replace('"reason":"client-suspended"', '"reason":"forgotten"'),
      'can no longer be read: reason: ',
    ],
    [
      'a field that was removed',
      text => text.replace('"reason":', '"old":1,"reason":'),
      'can no longer be read: data: ',
    ],
    [
      'another order of members',
      text => text.replace(/"authid":"corpus",(.*)\}\n$/, '$1,"authid":"corpus"}\n'),
      'is not one canonical line',
    ],
    ['white space', text => text.replace('{', '{ '), 'is not one canonical line'],
    ['a broken envelope', text => text.replace('"logseq":1,', ''), 'is no event: '],
    ['half a line', text => text.slice(0, 40), 'is no event: '],
    ['another event', () => read('libs/contracts/corpus/grant.denied.v1.json'), 'holds grant.denied.v1'],
  ])('have a corpus that the catalogue must still read: %s', (_, change, problem) => {
    const before = read(corpus)
    write(corpus, change(before))
    expect(read(corpus)).not.toBe(before)
    const found = problems(root)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(`${corpus} ${problem}`)
  })

  it('have a corpus that outlives its event', () => {
    const gone = 'libs/contracts/corpus/token.forgotten.v1.json'
    write(gone, read(corpus).replace(/"type":"token.revoked.v1"/, '"type":"token.forgotten.v1"'))
    expect(generate(root)).toEqual([])
    expect(problems(root)).toEqual([
      `${gone} can no longer be read: the catalogue does not know token.forgotten.v1`,
    ])
  })
})
