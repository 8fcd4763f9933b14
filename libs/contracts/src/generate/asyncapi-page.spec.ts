import { describe, expect, it } from '@jest/globals'
import { catalogue } from '../catalogue.js'
import { envelope } from '../envelope.js'
import { wireType } from '../event.js'
import { heartbeat } from '../heartbeat.js'
import { topics } from '../topics.js'
import { headers } from './asyncapi.js'
import { asyncApiPage } from './asyncapi-page.js'
import { corpusLine } from './corpus.js'
import { fieldsOf } from './fields-table.js'

const page = asyncApiPage()

describe('the page of the AsyncAPI document', () => {
  it('has every topic and every event, with an example', () => {
    for (const { name } of Object.values(topics)) expect(page).toContain(`>${name}</h2>`)
    for (const entry of catalogue) {
      const example = JSON.stringify(JSON.parse(corpusLine(entry)), undefined, 2)
      expect(page).toContain(`<h3 id="${wireType(entry)}">`)
      expect(page).toContain(example.replaceAll('&', '&amp;').replaceAll('"', '&quot;'))
    }
    expect(page).toContain('<h3 id="feed.heartbeat.v1">')
  })

  it('says what each header and each attribute means', () => {
    for (const schema of [headers, envelope, heartbeat.shape.data])
      expect(fieldsOf(schema).filter(({ meaning }) => meaning === '')).toEqual([])
  })

  it('links to nothing that it does not have, and has no id twice', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const wanted = [...page.matchAll(/(?:href="#|labelledby=")([^"]+)"/g)].map(([, id]) => id)
    expect(wanted.length).toBeGreaterThan(catalogue.length)
    expect(wanted.filter(id => !ids.includes(id))).toEqual([])
  })

  it('brings everything along, and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe| src=|url\(|@import|javascript:/i)
    expect(page).toContain('prefers-color-scheme: dark')
  })
})
