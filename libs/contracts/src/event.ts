import { z } from 'zod'
import type { Topic } from './topics.js'

/** What a catalogue entry says of one event: where it goes, what it means, the shape of its facts, and one real example. */
export interface EventDefinition<Type extends string = string, Shape extends z.ZodObject = z.ZodObject> {
  readonly type: Type
  /** Major version: a change that is more than a new optional field gets the next number and an upcaster. */
  readonly version: number
  readonly topic: Topic
  /** One sentence: what has happened, in the past tense. */
  readonly summary: string
  readonly data: Shape
  readonly example: z.infer<Shape>
}

/** Declares one event. The name is `category.past-tense`; the topic decides who may read it. */
export function defineEvent<const Type extends string, Shape extends z.ZodObject>(
  definition: Omit<EventDefinition<Type, Shape>, 'version'> & { version?: number },
): EventDefinition<Type, Shape> {
  return { version: 1, ...definition }
}

/** The event's name on the wire and in the store: `grant.approved.v1`. */
export function wireType(definition: EventDefinition): string {
  return `${definition.type}.v${definition.version}`
}
