import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { catalogue } from '../catalogue.js'
import { type EventDefinition, versionsOf, wireType } from '../event.js'
import { asyncApi } from './asyncapi.js'
import { asyncApiPage } from './asyncapi-page.js'
import { corpusLine, corpusProblem } from './corpus.js'
import { eventsPage } from './events-page.js'
import { envelopeSchema, eventSchema, heartbeatSchema } from './schemas.js'
import { kafkaTopics, kafkaUsers } from './strimzi.js'

const schemaFolder = 'libs/contracts/generated/schemas'
const corpusFolder = 'libs/contracts/corpus'

/** What derives from the catalogue: text by path, from the repository's root. The same catalogue gives the same bytes. */
export function derivedFiles(): ReadonlyMap<string, string> {
  derived ??= derive()
  return derived
}

let derived: ReadonlyMap<string, string> | undefined

function derive(): ReadonlyMap<string, string> {
  return new Map([
    ...allVersions().map(
      entry => [`${schemaFolder}/${wireType(entry)}.json`, json(eventSchema(entry))] as const,
    ),
    ['libs/contracts/generated/envelope.json', json(envelopeSchema())],
    ['libs/contracts/generated/heartbeat.json', json(heartbeatSchema())],
    ['libs/contracts/generated/asyncapi.json', json(asyncApi())],
    ['libs/contracts/generated/asyncapi.html', asyncApiPage()],
    ['docs/reference/events.md', eventsPage()],
    ['k8s/base/kafka/topics.yaml', kafkaTopics()],
    ['k8s/base/kafka/users.yaml', kafkaUsers()],
  ])
}

/**
 * Writes the derived files and the corpus files that are missing. A corpus file that exists is never touched: it stands for what
 * was stored. Returns the paths that changed.
 */
export function generate(root: string): string[] {
  const stale = [...derivedFiles()].filter(([path, text]) => contentOf(root, path) !== text)
  const missing = [...corpusFiles()].filter(([path]) => contentOf(root, path) === undefined)
  const orphans = orphanedSchemas(root)
  for (const [path, text] of [...stale, ...missing]) write(join(root, path), text)
  for (const path of orphans) rmSync(join(root, path))
  return [...stale.map(([path]) => path), ...missing.map(([path]) => path), ...orphans]
}

/** What is wrong with the files under a root, one sentence each; none when everything is fresh. Writes nothing. */
export function problems(root: string): string[] {
  const stale = [...derivedFiles()].flatMap(([path, text]) => {
    const content = contentOf(root, path)
    if (content === undefined) return [`${path} is missing`]
    return content === text ? [] : [`${path} is not what the catalogue says`]
  })
  const missing = [...corpusFiles().keys()].filter(path => contentOf(root, path) === undefined)
  return [
    ...stale,
    ...orphanedSchemas(root).map(path => `${path} is of an event that the catalogue does not have`),
    ...missing.map(path => `${path} is missing`),
    ...storedCorpus(root).flatMap(([path, text]) => corpusProblem(path, text) ?? []),
  ]
}

/** What may be in a log: every version that was ever written. */
function allVersions(): EventDefinition[] {
  return catalogue.flatMap(versionsOf)
}

function corpusFiles(): ReadonlyMap<string, string> {
  return new Map(
    allVersions().map(
      entry => [`${corpusFolder}/${wireType(entry)}.json`, `${corpusLine(entry)}\n`] as const,
    ),
  )
}

function storedCorpus(root: string): (readonly [path: string, text: string])[] {
  return filesIn(root, corpusFolder).map(path => [path, readFileSync(join(root, path), 'utf8')] as const)
}

function orphanedSchemas(root: string): string[] {
  return filesIn(root, schemaFolder).filter(path => !derivedFiles().has(path))
}

function filesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder))
    .sort()
    .map(name => `${folder}/${name}`)
}

function contentOf(root: string, path: string): string | undefined {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
