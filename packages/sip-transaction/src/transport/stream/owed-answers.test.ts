import { describe, expect, it } from 'vitest'
import { OwedAnswers } from './owed-answers'

const bytesOf = (text: string) => new TextEncoder().encode(text)

describe('OwedAnswers', () => {
  it('RFC 3261 §17: each request but ACK is owed one final answer', () => {
    const answers = new OwedAnswers()
    answers.received(bytesOf('ACK sip:a@b SIP/2.0\r\n\r\n'))
    answers.received(bytesOf('SIP/2.0 200 OK\r\n\r\n'))
    expect(answers.isAny).toBe(false)
    answers.received(bytesOf('INVITE sip:a@b SIP/2.0\r\n\r\n'))
    answers.received(bytesOf('SIPPING sip:a@b SIP/2.0\r\n\r\n'))
    answers.sent(bytesOf('SIP/2.0 180 Ringing\r\n\r\n'))
    answers.sent(bytesOf('OPTIONS sip:a@b SIP/2.0\r\n\r\n'))
    answers.sent(bytesOf('SIP/2.0 603 Decline\r\n\r\n'))
    expect(answers.isAny).toBe(true)
    answers.sent(bytesOf('SIP/2.0 200 OK\r\n\r\n'))
    answers.sent(bytesOf('SIP/2.0 200 OK\r\n\r\n'))
    expect(answers.isAny).toBe(false)
    answers.received(bytesOf('A'))
    expect(answers.isAny).toBe(true)
  })
})
