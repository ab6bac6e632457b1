import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it, vi } from 'vitest';
import { Button } from './button';
import { Checkbox } from './checkbox';
import { RadioGroup } from './radio';
import { SegmentedControl } from './segmented-control';
import { Tabs } from './tabs';
import { TextInput } from './text-input';

it('ties an input to its label, its explanation and its error', () => {
  render(<TextInput label="Name" description="As on the card" error="Missing" required value="" onChange={() => {}} />);
  const input = screen.getByRole('textbox', { name: 'Name' });
  expect(input).toBeInvalid();
  expect(input).toBeRequired();
  expect(input).toHaveAccessibleDescription('As on the card Missing');
});

it('takes no second press while it works', async () => {
  const press = vi.fn();
  const { rerender } = render(<Button onClick={press}>Save</Button>);
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  rerender(
    <Button onClick={press} loading>
      Save
    </Button>,
  );
  await userEvent.click(screen.getByRole('button'));
  expect(press).toHaveBeenCalledTimes(1);
  expect(screen.getByRole('button')).toHaveAttribute('aria-busy', 'true');
});

it('shows half of a choice as half', () => {
  render(<Checkbox aria-label="All" checked={false} indeterminate onChange={() => {}} />);
  expect(screen.getByRole('checkbox', { name: 'All' })).toBePartiallyChecked();
});

it('moves between tabs with arrow keys, round the ends', async () => {
  function Host() {
    const [on, setOn] = useState('a');
    const items = ['a', 'b', 'c'].map((value) => ({ value, label: value, content: `about ${value}` }));
    return <Tabs label="Parts" value={on} onChange={setOn} items={items} />;
  }
  render(<Host />);
  await userEvent.click(screen.getByRole('tab', { name: 'b' }));
  expect(screen.getByRole('tabpanel', { name: 'b' })).toHaveTextContent('about b');
  await userEvent.keyboard('{ArrowRight}{ArrowRight}');
  expect(screen.getByRole('tab', { name: 'a' })).toHaveFocus();
  expect(screen.getByRole('tabpanel', { name: 'a' })).toBeInTheDocument();
  await userEvent.keyboard('{End}');
  expect(screen.getByRole('tab', { selected: true })).toHaveTextContent('c');
});

it('chooses one of several', async () => {
  const chosen = vi.fn();
  const options = [
    { value: 'x', label: 'X' },
    { value: 'y', label: 'Y', description: 'the other' },
  ];
  render(
    <>
      <RadioGroup label="Kind" value="x" onChange={chosen} options={options} />
      <SegmentedControl label="Mode" value="x" onChange={chosen} options={options} />
    </>,
  );
  const [first, second] = screen.getAllByRole('radio', { name: 'Y' });
  if (first === undefined || second === undefined) throw new Error('two sets of options');
  expect(first).toHaveAccessibleDescription('the other');
  await userEvent.click(first);
  await userEvent.click(second);
  expect(chosen.mock.calls).toEqual([['y'], ['y']]);
});
