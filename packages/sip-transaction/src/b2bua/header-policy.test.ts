import { createRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { passedHeaders } from './header-policy'

const message = createRequest({
  method: 'INVITE',
  uri: 'sip:bob@example.com',
  headers: [
    ['Via', 'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa'],
    ['From', '<sip:a@b>;tag=1'],
    ['To', '<sip:b@b>'],
    ['Call-ID', 'x'],
    ['CSeq', '1 INVITE'],
    ['Max-Forwards', 70],
    ['Contact', '<sip:a@10.0.0.1>'],
    ['Subject', 'one'],
    ['X-One', '1'],
    ['X-One', '2'],
    ['Authorization', 'Digest username="a"'],
    ['Record-Route', '<sip:p;lr>'],
  ],
})
const names = (policy: Parameters<typeof passedHeaders>[1]) =>
  passedHeaders(message, policy).map(([name, value]) => `${name}: ${value}`)

describe('header policy', () => {
  it('passes nothing that is not named, and never what belongs to a leg', () => {
    expect(names(undefined)).toEqual([])
    expect(names({})).toEqual([])
    expect(names({ pass: ['*'] })).toEqual(['Subject: one', 'X-One: 1', 'X-One: 2'])
    expect(names({ pass: ['via', 'v', 'call-id', 'CONTACT', 'authorization', 'record-route', 'cseq'] })).toEqual([])
  })

  it('drops after passing, and sets in place of what would pass', () => {
    expect(names({ pass: ['*'], drop: ['x-*'] })).toEqual(['Subject: one'])
    expect(names({ pass: ['subject', 'X-One'], set: [['x-one', '3']] })).toEqual(['Subject: one', 'x-one: 3'])
  })
})
