import { createHash } from 'node:crypto'
import { content } from './styles/content.js'
import { controls } from './styles/controls.js'
import { layout } from './styles/layout.js'
import { media } from './styles/media.js'
import { tokens } from './styles/tokens.js'

/** The one stylesheet of every page; `page()` carries it inside the document, so that an error page needs nothing else. */
export const stylesheet: string = [tokens, layout, controls, content, media]
  .join('\n')
  .replace(/\n\s*/g, '\n')
  .trim()

/** The CSP source of `stylesheet`: `sha256-…`, without quotes. */
export const styleHash: string = `sha256-${createHash('sha256').update(stylesheet).digest('base64')}`
