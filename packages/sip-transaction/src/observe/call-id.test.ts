import { describe, expect, it } from 'vitest'
import { callIdOf } from './call-id'

const find = (text: string) => callIdOf(Buffer.from(text, 'latin1'))

describe('callIdOf', () => {
  it.each([
    ['Call-ID: a@b', 'a@b'],
    ['call-id:a', 'a'],
    ['CALL-ID \t:  a  ', 'a'],
    ['i: short', 'short'],
    ['I:x', 'x'],
  ])('finds %j', (line, callId) => {
    expect(find(`INFO sip:a SIP/2.0\r\nContact: <sip:x>\r\nCSeq: 1 INFO\r\n${line}\r\nVia: x\r\n\r\n`)).toBe(callId)
    expect(find(`INFO sip:a SIP/2.0\n${line}\n\n`)).toBe(callId)
  })

  it('looks neither into the start line, nor into other names, nor into the body', () => {
    expect(find('i: x SIP/2.0\r\nIdentity: a\r\nCall-IDs: b\r\nX-Call-ID: c\r\n\r\nCall-ID: body')).toBeUndefined()
    expect(find('INFO sip:a SIP/2.0\r\nCall-ID:\r\n\r\n')).toBeUndefined()
    expect(find('')).toBeUndefined()
  })

  it('does not go on for ever in a message of one header repeated', () => {
    const long = Buffer.from(`INFO sip:a SIP/2.0\r\n${'C: x\r\n'.repeat(100_000)}Call-ID: far\r\n\r\n`)
    expect(callIdOf(long)).toBeUndefined()
  })
})
