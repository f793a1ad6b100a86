import { describe, expect, it } from 'vitest'
import { decodeExtended, encodeExtended, readAuthParams, writeAuthParams } from './auth-params'

describe('parameters', () => {
  it('RFC 7616 §3.3, §3.4: are quoted where their header wants it', () => {
    expect(
      writeAuthParams(
        [
          ['realm', 'a"b\\c'],
          ['qop', 'auth,auth-int'],
          ['algorithm', 'MD5'],
        ],
        true,
      ),
    ).toBe('realm="a\\"b\\\\c", qop="auth,auth-int", algorithm=MD5')
    expect(
      writeAuthParams(
        [
          ['qop', 'auth'],
          ['nc', '00000001'],
          ['username*', "UTF-8''%C3%A4"],
        ],
        false,
      ),
    ).toBe("qop=auth, nc=00000001, username*=UTF-8''%C3%A4")
  })

  it('are read back, and not when malformed or repeated', () => {
    expect(readAuthParams('nextnonce="a\\"b", QOP=auth')).toEqual(
      new Map([
        ['nextnonce', 'a"b'],
        ['qop', 'auth'],
      ]),
    )
    for (const bad of ['', 'x', 'a="', 'a=1, a=2', 'a=1,', 'a==', 'a=b c'])
      expect(readAuthParams(bad), bad).toBeUndefined()
  })
})

describe('RFC 8187 §3.2: the extended notation', () => {
  it('comes back for any text, and is a token', () => {
    for (const name of ['Jäsøn Doe', '日本', "o'neil", '100%', 'a\r\nb', '', '𝄞', 'a*b']) {
      const encoded = encodeExtended(name)
      expect(encoded).toMatch(/^UTF-8''[A-Za-z0-9!+._`~%-]*$/)
      expect(decodeExtended(encoded)).toBe(name)
    }
    expect(encodeExtended('Jäsøn Doe')).toBe("UTF-8''J%C3%A4s%C3%B8n%20Doe")
  })
})
