import { Textarea, type TextareaProps } from '@mantine/core';
import type { Ref } from 'react';

interface MonoAreaProps extends Omit<TextareaProps, 'onChange'> {
  readonly ref?: Ref<HTMLTextAreaElement>;
  onText(text: string): void;
}

/** For text that machines read: nothing in it is corrected, remembered or told to a spelling service. */
export function MonoArea({ onText, ...props }: MonoAreaProps) {
  return (
    <Textarea
      {...props}
      spellCheck={false}
      autoComplete="off"
      classNames={{ input: 'mono' }}
      onChange={(event) => onText(event.currentTarget.value)}
    />
  );
}
