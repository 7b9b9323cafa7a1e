import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const client = fileURLToPath(new URL('..', import.meta.url))
const locales = join(client, '../../locales')

interface Texts {
  [key: string]: Texts | string
}

function flatten(texts: Texts, prefix: string): [string, string][] {
  return Object.entries(texts).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[`${prefix}.${key}`, value]] : flatten(value, `${prefix}.${key}`),
  )
}

function load(locale: string): Map<string, string> {
  const files = readdirSync(join(locales, locale)).filter((file) => file.endsWith('.json'))
  return new Map(
    files.flatMap((file) =>
      flatten(
        JSON.parse(readFileSync(join(locales, locale, file), 'utf8')) as Texts,
        file.replace('.json', ''),
      ),
    ),
  )
}

const chinese = load('zh-CN')
const english = load('en')
const placeholders = (text = ''): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()

test('both languages say the same things', () => {
  expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
})

test('both languages use the same placeholders', () => {
  const different = [...chinese].filter(
    ([key, text]) => placeholders(text).join() !== placeholders(english.get(key)).join(),
  )
  expect(different).toEqual([])
})

test('no text holds what the message syntax reads as its own', () => {
  const own = (text: string): boolean => /[@|]/.test(text)
  expect([...chinese, ...english].filter(([key, text]) => !key.startsWith('errors.') && own(text))).toEqual(
    [],
  )
})

test('every text a page asks for by name is there', () => {
  const sources = readdirSync(join(client, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(vue|ts)$/.test(file),
  )
  const missing = sources.flatMap((file) => {
    const source = readFileSync(join(client, 'src', file), 'utf8')
    const asked = [
      ...source.matchAll(/\bt\(\s*'([\w.]+)'/g),
      ...source.matchAll(/(?:title|label): '(\w+(?:\.\w+)+)'/g),
    ]
    return asked
      .map(([, key]) => key ?? '')
      .filter((key) => !chinese.has(key))
      .map((key) => `${file}: ${key}`)
  })
  expect(missing).toEqual([])
})
