package session

import "context"

// EndGeneration is DestroyAll that dies after its first step.
func (s *Store[T]) EndGeneration(ctx context.Context, user string) error {
	a, err := s.userAddress(user)
	if err != nil {
		return err
	}
	_, err = s.conn.Eval(ctx, destroyAllScript, []string{a.generation, a.index}, nil)
	return err
}
