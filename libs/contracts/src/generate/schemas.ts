import { z } from 'zod'
import { envelope, schemaOf } from '../envelope.js'
import { type EventDefinition, wireType } from '../event.js'
import { heartbeat } from '../heartbeat.js'

export type JsonSchema = z.core.JSONSchema.BaseSchema

/** The schema of an event's facts for those who read them (JSON Schema 2020-12). */
export function eventSchema(entry: EventDefinition): JsonSchema {
  const title = wireType(entry)
  return {
    ...schemaDocument(schemaOf(title), title, entry.summary, entry.data),
    examples: [entry.example],
  }
}

/** The schema of a line of the log, whatever its event. */
export function envelopeSchema(): JsonSchema {
  return schemaDocument(
    'urn:grantlog:envelope',
    'Event on the wire',
    'A CloudEvents 1.0 document in structured mode, one line of canonical JSON (RFC 8785).',
    envelope,
  )
}

/** The schema of what a source says on the revocation feed when nothing was revoked. */
export function heartbeatSchema(): JsonSchema {
  const title = heartbeat.shape.type.value
  return schemaDocument(
    schemaOf(title),
    title,
    'Nothing more was published on this partition until now. No event: neither stored nor numbered.',
    heartbeat,
  )
}

/**
 * What a reader may rely on. The writer refuses unknown fields; a reader ignores them, because a new optional field is a minor
 * change: no published schema closes an object.
 */
export function readersSchema(
  schema: z.ZodType,
  target: 'draft-2020-12' | 'draft-07' = 'draft-2020-12',
): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target,
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
    },
  })
  return rest
}

function schemaDocument($id: string, title: string, description: string, schema: z.ZodType): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id,
    title,
    description,
    ...readersSchema(schema),
  }
}
