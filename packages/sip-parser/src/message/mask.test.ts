import { describe, expect, it } from 'vitest'
import { headerIdOf } from '../headers/recognise'
import { sampleInvite } from '../testing/messages'
import { logged } from './mask'

describe('what a log may have of a header', () => {
  it.each([
    ['Authorization', 'Digest response="s3cret"', 'Digest ***'],
    ['Authentication-Info', 'nextnonce="s3cret"', '***'],
    ['Security-Verify', 'digest;d-alg=MD5;D-VER = "s3cret";q=0.1, tls', 'digest;d-alg=MD5;d-ver=***;q=0.1, tls'],
    ['Security-Client', 'digest;d-ver=s3cret, digest;d-ver="s3cret"', 'digest;d-ver=***, digest;d-ver=***'],
    ['Subject', 'd-ver="x"', 'd-ver="x"'],
  ])('RFC 3261 §22, RFC 3329 §2.4: %s', (name, value, shown) => expect(logged(headerIdOf(name), value)).toBe(shown))

  it('holds for a whole message', () => {
    const message = sampleInvite({ headers: [['Security-Verify', 'digest;d-ver="s3cret"']] })
    expect(JSON.stringify(message)).not.toContain('s3cret')
  })
})
