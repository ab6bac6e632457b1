import { Component, type ReactNode } from 'react';
import { ErrorState } from '@/ui';

interface Props {
  children: ReactNode;
}
interface State {
  error: unknown;
  failed: boolean;
}

/** Keeps a failing part from taking the whole page along. Give it a `key` to start over with new content. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null, failed: false };

  static getDerivedStateFromError(error: unknown): State {
    return { error, failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return <ErrorState error={this.state.error} onRetry={() => this.setState({ error: null, failed: false })} />;
  }
}
