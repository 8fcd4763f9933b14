import { catalogue } from '../catalogue.js'
import { envelope } from '../envelope.js'
import { type EventDefinition, wireType } from '../event.js'
import { heartbeat, heartbeatLine } from '../heartbeat.js'
import { readersOf, services, type Topic, topics } from '../topics.js'
import { defaultContentType, documentInfo, headers } from './asyncapi.js'
import { pageStyles } from './asyncapi-page-styles.js'
import { corpusLine } from './corpus.js'
import { type Field, fieldsOf } from './fields-table.js'

const topicNames = Object.keys(topics) as Topic[]
const heartbeatType = heartbeat.shape.type.value

/** The AsyncAPI document as a page for people: one file, without scripts, and nothing from elsewhere. */
export function asyncApiPage(): string {
  const info = documentInfo()
  return `<!doctype html>
<!-- Generated from the event catalogue by \`npm run generate -w @grantlog/contracts\`. Do not edit. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(info.title)}</title>
<style>${pageStyles}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
<p class="kind">AsyncAPI 3.0 · version ${text(info.version)}</p>
<h1>${text(info.title)}</h1>
<p class="lead">${prose(info.description)}</p>
<p>As files: <a href="asyncapi.json">asyncapi.json</a>, a <a href="schemas/">JSON Schema of each event</a>, and <a href="../corpus/">a whole line of each</a>.</p>
</header>
<div class="columns">
<nav aria-label="Contents">
<ul>
<li><a href="#messages">Every message</a></li>
<li><a href="#order">Order and gaps</a></li>
${topicNames.map(navigation).join('\n')}
</ul>
</nav>
<main id="content">
${everyMessage()}
${order}
${topicNames.map(channel).join('\n')}
</main>
</div>
</body>
</html>
`
}

function navigation(topic: Topic): string {
  const types = [...eventsOn(topic).map(wireType), ...(topic === 'revocations' ? [heartbeatType] : [])]
  const links = types.map(type => `<li><a href="#${type}"><code>${text(type)}</code></a></li>`)
  return `<li><a href="#${topic}">${topics[topic].name}</a><ul>${links.join('')}</ul></li>`
}

function everyMessage(): string {
  return `<section aria-labelledby="messages">
<h2 id="messages">Every message</h2>
<p>The value is one line of JSON, <code>${text(defaultContentType)}</code>. The key is the stream, which is <code>subject</code> too.
<code>data</code> are the event’s own facts; what they are is said with each event.</p>
${table('Headers', fieldsOf(headers))}
${table('Attributes', fieldsOf(envelope))}
</section>`
}

const order = `<section aria-labelledby="order">
<h2 id="order">Order and gaps</h2>
<ul>
<li>Messages of one stream, and so of one key, are on one partition, in order.</li>
<li>Each source (${services.map(service => `<code>${service}</code>`).join(', ')}) numbers its own log densely: <code>logseq</code> 1, 2, 3 …
Its numbers are spread over topics and partitions, so that numbers are missing on each.</li>
<li>The header <code>previous</code> is the <code>logseq</code> of what the same source sent before to this partition. Equal to the last that you
applied: the next. Where <code>logseq</code> is not above the last: a duplicate, drop it. Anything else: a gap, stop and alarm.</li>
<li>Delivery is at least once. What is sent again has the same bytes, the same <code>id</code> and the same <code>previous</code>.</li>
<li>On <a href="#revocations">the revocations</a> each source says every second on every partition that it lives:
<a href="#${heartbeatType}">${heartbeatType}</a>.</li>
<li>Ignore event types and fields that you do not know. A change that is more than a new optional field gets the next version.</li>
</ul>
</section>`

function channel(topic: Topic): string {
  const { name, partitions, writers, summary } = topics[topic]
  const readers = readersOf(topic)
  return `<section class="channel" aria-labelledby="${topic}">
<h2 id="${topic}">${name}</h2>
<p class="lead">${prose(summary)}</p>
<dl>
<div><dt>Partitions</dt><dd>${partitions}</dd></div>
<div><dt>Written by</dt><dd>${writers.join(', ')}</dd></div>
<div><dt>Read here by</dt><dd>${readers.length === 0 ? 'nobody' : readers.join(', ')}</dd></div>
<div><dt>Kept</dt><dd>for good, never compacted</dd></div>
</dl>
${eventsOn(topic).map(event).join('\n')}
${topic === 'revocations' ? beat() : ''}
</section>`
}

function event(entry: EventDefinition): string {
  const type = wireType(entry)
  const streams = entry.streams.map(stream => `<code>${text(stream)}</code>`).join(' or ')
  return article(type, entry.summary, `Key: ${streams}.`, fieldsOf(entry.data), corpusLine(entry))
}

const beat = () =>
  article(
    heartbeatType,
    'Nothing more was published on this partition until now. No event: neither stored nor numbered.',
    'Key: empty. About every second, from each source, on each partition.',
    fieldsOf(heartbeat.shape.data),
    heartbeatLine('token', 0, new Date('2026-01-01T00:00:00.000Z')),
  )

function article(
  type: string,
  summary: string,
  note: string,
  fields: readonly Field[],
  line: string,
): string {
  return `<article aria-labelledby="${type}">
<h3 id="${type}"><code>${text(type)}</code></h3>
<p>${prose(summary)}</p>
<p class="note">${note}</p>
${table('data', fields)}
<details><summary>Example</summary><pre tabindex="0"><code>${text(JSON.stringify(JSON.parse(line), undefined, 2))}</code></pre></details>
</article>`
}

function table(caption: string, fields: readonly Field[]): string {
  const rows = fields.map(
    ({ path, type, meaning }) =>
      `<tr><th scope="row"><code>${text(path).replaceAll('.', '.<wbr>')}</code></th><td>${prose(type)}</td><td>${prose(meaning)}</td></tr>`,
  )
  return `<table><caption>${text(caption)}</caption>
<thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`
}

const eventsOn = (topic: Topic) => catalogue.filter(entry => entry.topic === topic)

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const text = (plain: string) => plain.replace(/[&<>"]/g, character => entities[character] ?? character)

/** Plain text in which `names` stand between backticks. */
const prose = (plain: string) => text(plain).replace(/`([^`]+)`/g, '<code>$1</code>')
