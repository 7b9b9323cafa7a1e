import { expect, test } from 'vitest'

import { treeChoices } from '@/lib/tree'

const one = (id: string, parentId: string | null, name: string) => ({ id, parentId, name })

test('organizations stand below theirs, by name, whatever the order they come in', () => {
  const all = [
    one('b2', 'c', '第10党支部'),
    one('c', 'above', '城关镇党委'),
    one('b1', 'c', '第2党支部'),
    one('g', 'b1', '第一党小组'),
  ]
  expect(treeChoices(all, 'zh-CN')).toEqual([
    { value: 'c', text: '城关镇党委' },
    { value: 'b1', text: '\u3000第2党支部' },
    { value: 'g', text: '\u3000\u3000第一党小组' },
    { value: 'b2', text: '\u3000第10党支部' },
  ])
})
