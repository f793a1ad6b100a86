import { describe, expect, it } from 'vitest'
import { tolerant } from '../message/leniency'
import { inspectMessage } from '../message/validate'
import { optionsRequest } from '../testing/messages'

function verdict(value: string): boolean {
  const bytes = Buffer.from(
    optionsRequest({ via: 'SIP/2.0/UDP a;h=?' }).toBytes().toString('latin1').replace('?', value),
    'latin1',
  )
  return inspectMessage(bytes, { leniency: tolerant }).ok
}

describe('parameter values that should be in quotes', () => {
  it('may hold what is visible when they are tolerated', () => expect(verdict('a/b@c')).toBe(true))

  it.each(['\0', 'a\0b', 'a\x1b', 'a/\x7f'])('hold no control character even then: %j', (value) =>
    expect(verdict(value)).toBe(false),
  )
})
