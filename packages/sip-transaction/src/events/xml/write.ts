/** Writes the XML of event bodies (XML 1.0). */

/** Attributes of an element; undefined ones are left out. */
export type XmlAttributes = Readonly<Record<string, string | number | boolean | undefined>>

/** An element that has been written. */
export interface XmlText {
  readonly xml: string
}

/** Writes an element; strings among its children are text. Undefined children are left out. */
export function xml(
  name: string,
  attributes: XmlAttributes = {},
  children: readonly (XmlText | string | undefined)[] = [],
): XmlText {
  let open = `<${name}`
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) open += ` ${key}="${escaped(String(value))}"`
  }
  const inside = children.map((child) => (typeof child === 'string' ? escaped(child) : (child?.xml ?? ''))).join('')
  return { xml: inside === '' ? `${open}/>` : `${open}>${inside}</${name}>` }
}

/** An element with text in it; undefined when there is no text. */
export function xmlOf(
  name: string,
  text: string | number | undefined,
  attributes?: XmlAttributes,
): XmlText | undefined {
  return text === undefined ? undefined : xml(name, attributes, [String(text)])
}

/** A whole document. */
export function xmlDocument(root: XmlText): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root.xml}\n`
}

// What XML 1.0 §2.2 forbids.
const unwritable =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

function escaped(text: string): string {
  return text
    .replace(unwritable, '')
    .replace(/[&<>"\r\n\t]/g, (char) => (char === '&' ? '&amp;' : char === '<' ? '&lt;' : `&#${char.charCodeAt(0)};`))
}
