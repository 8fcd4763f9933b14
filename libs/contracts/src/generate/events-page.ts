import { catalogue } from '../catalogue.js'
import { type EventDefinition, wireType } from '../event.js'
import { type Topic, topics } from '../topics.js'
import { fieldsOf } from './fields-table.js'

const topicNames = Object.keys(topics) as Topic[]

/** The reference of all events, for people (Markdown). */
export function eventsPage(): string {
  return `${[
    '<!-- Generated from the event catalogue by `npm run generate -w @grantlog/contracts`. Do not edit. -->',
    '# Events',
    'Every event is one line of canonical JSON (RFC 8785): a [CloudEvents 1.0](https://cloudevents.io) document whose `data` are the fields below. The Kafka key and `subject` are the stream. Ignore event types and fields that you do not know: a new optional field is a minor change.',
    'The same as files: [`generated/schemas`](../../libs/contracts/generated/schemas) (JSON Schema), [`generated/asyncapi.json`](../../libs/contracts/generated/asyncapi.json) (AsyncAPI 3.0; [`asyncapi.html`](../../libs/contracts/generated/asyncapi.html) to read), [`corpus`](../../libs/contracts/corpus) (one whole line for each event).',
    '## Topics',
    table(
      ['topic', 'partitions', 'written by', 'what is on it'],
      topicNames.map(topic => {
        const { name, partitions, writers, summary } = topics[topic]
        return [`[\`${name}\`](#${anchor(name)})`, String(partitions), writers.join(', '), summary]
      }),
    ),
    ...topicNames.flatMap(topicSection),
  ].join('\n\n')}\n`
}

function topicSection(topic: Topic): string[] {
  return [
    `## ${topics[topic].name}`,
    ...catalogue.filter(entry => entry.topic === topic).flatMap(entry => eventSection(entry)),
    ...(topic === 'revocations' ? [heartbeatNote] : []),
  ]
}

const heartbeatNote =
  'Beside it, each source says `feed.heartbeat.v1` on every partition once a second when it has nothing to revoke ([schema](../../libs/contracts/generated/heartbeat.json)). It is no event: neither stored nor numbered.'

function eventSection(entry: EventDefinition): string[] {
  return [
    `### ${wireType(entry)}`,
    `${entry.summary}`,
    `Stream ${entry.streams.map(stream => `\`${stream}\``).join(' or ')}, written by ${topics[entry.topic].writers.join(', ')}.`,
    table(
      ['field', 'type', 'meaning'],
      fieldsOf(entry.data).map(({ path, type, meaning }) => [`\`${path}\``, type, meaning]),
    ),
    `\`\`\`json\n${JSON.stringify(entry.example, undefined, 2)}\n\`\`\``,
  ]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** The anchor that a Markdown renderer gives a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll('.', '')
}
