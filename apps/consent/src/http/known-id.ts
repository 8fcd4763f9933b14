import { Problem } from '@grantlog/platform'
import type { PipeTransform } from '@nestjs/common'
import { z } from 'zod'

/** A UUID in a path. What is none is unknown like any other, and the database is not asked for it. @throws Problem 404 */
export function knownId(title: string, sentence: string): PipeTransform<string, string> {
  return {
    transform(id) {
      if (!z.uuid().safeParse(id).success) throw new Problem(404, title, sentence)
      return id
    },
  }
}
