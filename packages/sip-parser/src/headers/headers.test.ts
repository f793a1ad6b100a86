import { describe, expect, it } from 'vitest'
import * as ids from './ids'
import { headerDefinition, headerDefinitions } from './index'
import { headerIdOf, recogniseName } from './recognise'

const bytesOf = (text: string): Uint8Array => new Uint8Array([...text].map((letter) => letter.charCodeAt(0)))
const recognised = (name: string): number => recogniseName(bytesOf(`xx${name}yy`), 2, 2 + name.length)

describe('the header registry', () => {
  it('RFC 3261 §7.3.1: every name is known in any case, by string and by bytes', () => {
    headerDefinitions.forEach(({ name }, position) => {
      for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
        expect(headerIdOf(spelling), spelling).toBe(position + 1)
        expect(recognised(spelling), spelling).toBe(position + 1)
      }
    })
  })

  it('RFC 3261 §7.3.3, §20: compact forms', () => {
    const forms = Object.fromEntries(
      headerDefinitions.flatMap(({ name, compact }) => (compact === undefined ? [] : [[compact, name]])),
    )
    expect(forms).toEqual({
      v: 'Via',
      f: 'From',
      t: 'To',
      i: 'Call-ID',
      m: 'Contact',
      l: 'Content-Length',
      c: 'Content-Type',
      k: 'Supported',
      s: 'Subject',
      e: 'Content-Encoding',
      o: 'Event',
      u: 'Allow-Events',
      r: 'Refer-To',
      b: 'Referred-By',
      x: 'Session-Expires',
      a: 'Accept-Contact',
      d: 'Request-Disposition',
      j: 'Reject-Contact',
      n: 'Identity-Info',
      y: 'Identity',
    })
    for (const [form, name] of Object.entries(forms)) {
      for (const spelling of [form, form.toUpperCase()]) {
        expect(headerIdOf(spelling)).toBe(headerIdOf(name))
        expect(recognised(spelling)).toBe(headerIdOf(name))
      }
    }
  })

  it('names that are nearly known are unknown', () => {
    for (const name of [
      'Viaa',
      'Vi',
      'q',
      '!',
      'Call_ID',
      'Fron',
      'Contenu-Length',
      'Max-Forward5',
      'C%6Fntact',
      'constructor',
      '__proto__',
    ]) {
      expect(headerIdOf(name), name).toBe(0)
      expect(recognised(name), name).toBe(0)
    }
  })

  it('the ids that code uses are those of the registry', () => {
    for (const [constant, id] of Object.entries(ids)) {
      expect(headerDefinition(id).name.toUpperCase().replaceAll('-', '_')).toBe(constant)
    }
  })

  it('no name is there twice', () => {
    expect(new Set(headerDefinitions.map(({ name }) => name.toLowerCase())).size).toBe(headerDefinitions.length)
  })
})
