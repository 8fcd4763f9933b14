import { Problem } from '@grantlog/platform'
import type { PipeTransform } from '@nestjs/common'

/** A client's id in a path. */
export const clientId = known(/^[A-Za-z0-9._~-]{1,64}$/, 'There is no such client.')
/** An API's id in a path. */
export const apiId = known(/^[a-z0-9-]{1,64}$/, 'There is no such API.')

/** An id that nothing can have is unknown like any other, and the database is not asked for it. */
function known(form: RegExp, sentence: string): PipeTransform<string, string> {
  return {
    transform(id) {
      if (!form.test(id)) throw new Problem(404, 'Not Found', sentence)
      return id
    },
  }
}
