/** Colours of a terminal, and JSON that a terminal can show. */

/** Wraps text in a style; with colours off it gives the text back. */
export type Paint = (style: Style, text: string) => string

/** What a piece of text is. */
export type Style = 'bad' | 'good' | 'warn' | 'name' | 'dim' | 'strong'

const CODES: Readonly<Record<Style, string>> = {
  bad: '1;31',
  good: '1;32',
  warn: '1;33',
  name: '36',
  dim: '2',
  strong: '1',
}

/** The painter for a terminal with colours, or without. */
export function painter(isColoured: boolean): Paint {
  return isColoured ? (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m` : (_style, text) => text
}

/**
 * A value as JSON in several lines. The control characters that JSON allows in a string as they are, 0x7f to 0x9f, and
 * what turns the direction of writing are escaped: a terminal must not obey them.
 */
export function terminalJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    let text = ''
    for (let at = 0; at < character.length; at++) {
      text += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
    }
    return text
  })
}
